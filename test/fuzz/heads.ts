import { seededRandom } from '../../src/lib/random.ts';
import { FRAMINGS, REQUEST_LINES } from '../gateway/http1/request-vectors.ts';
import { RESPONSE_FRAMINGS, STATUS_LINES } from '../gateway/http1/response-vectors.ts';
import { compare } from './compare.ts';
import { mutate, pick } from './mutate.ts';

export interface FuzzReport {
  readonly messages: number;
  readonly weAccept: number;
  readonly nodeAccepts: number;
  /** At most ten, each with the bytes that show it. */
  readonly disagreements: readonly string[];
}

const BODIES = ['', 'hello', '5\r\nhello\r\n0\r\n\r\n', '3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n', '0\r\n\r\n'];
const REQUESTS = [...REQUEST_LINES, ...FRAMINGS].map(([, head]) => head).filter(isSmall);
const RESPONSES = [...STATUS_LINES, ...RESPONSE_FRAMINGS].map(([, head]) => head).filter(isSmall);

/** Mutates messages from the vectors and compares what becomes of them here and in Node. */
export function fuzzHeads(count: number, seed: number): FuzzReport {
  const random = seededRandom(seed);
  let weAccept = 0;
  let nodeAccepts = 0;
  const disagreements: string[] = [];
  for (let i = 0; i < count && disagreements.length < 10; i += 1) {
    const kind = i % 3 === 2 ? 'response' : 'request';
    const head = pick(kind === 'request' ? REQUESTS : RESPONSES, random);
    const text = mutate(head + pick(BODIES, random), random);
    const cuts = [Math.floor(random() * 1_000), Math.floor(random() * 1_000)];
    const bytes = Buffer.from(text, 'latin1');
    const result = compare(kind, bytes, cuts);
    if (result.ours === 'complete') weAccept += 1;
    if (result.nodeAccepts) nodeAccepts += 1;
    if (result.disagreement !== undefined) {
      disagreements.push(`${kind} ${i} of seed ${seed}: ${result.disagreement}: ${JSON.stringify(text)}`);
    }
  }
  return { messages: count, weAccept, nodeAccepts, disagreements };
}

function isSmall(head: string): boolean {
  return head.length < 1_000;
}

/** `node dist/test/fuzz/heads.js [count] [seed]` */
if (process.argv[1]?.endsWith('/fuzz/heads.js') === true) {
  const count = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? 1);
  const report = fuzzHeads(count, seed);
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = report.disagreements.length === 0 ? 0 : 1;
}
