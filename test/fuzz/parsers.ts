import type { Random } from '../../src/core/ports.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { compare } from './compare.ts';
import { anyMessage, chunkedMessage, type Message, pipelined } from './messages.ts';
import { compareSequence } from './sequences.ts';

export interface FuzzReport {
  messages: number;
  weAccept: number;
  nodeAccepts: number;
  /** At most ten, each with the bytes that show it as a literal. */
  readonly disagreements: string[];
}

export interface Budget {
  readonly count: number;
  /** True when there is time for more. */
  goesOn(): boolean;
}

/** Of ten messages five are any, three have a body in chunks, two are sequences on one connection. */
function next(index: number, random: Random): Message {
  const turn = index % 10;
  const kind = index % 3 === 2 ? 'response' : 'request';
  if (turn < 5) return anyMessage(kind, random);
  return turn < 8 ? chunkedMessage(kind, random) : pipelined(random);
}

/** Our readers against Node's parser: what we accept is a subset, and on it both see the same. */
export function fuzzParsers({ count, goesOn }: Budget, seed: number): FuzzReport {
  const random = seededRandom(seed);
  const report: FuzzReport = { messages: 0, weAccept: 0, nodeAccepts: 0, disagreements: [] };
  for (let i = 0; i < count && report.disagreements.length < 10; i += 1) {
    if (i % 256 === 0 && !goesOn()) break;
    const message = next(i, random);
    const cuts = [Math.floor(random() * 1_000), Math.floor(random() * 1_000)];
    const disagreement = compareOne(message, cuts, report);
    report.messages += 1;
    if (disagreement === undefined) continue;
    const literal = JSON.stringify({ ...message, cuts });
    report.disagreements.push(`message ${i} of seed ${seed}: ${disagreement}: ${literal}`);
  }
  return report;
}

export function compareOne(
  { kind, text }: Message,
  cuts: readonly number[],
  report?: FuzzReport,
): string | undefined {
  const bytes = Buffer.from(text, 'latin1');
  const single = compare(kind, bytes, cuts);
  const all = kind === 'request' ? compareSequence(bytes, cuts) : { accepted: 0, disagreement: undefined };
  if (report !== undefined) {
    if (single.ours === 'complete') report.weAccept += 1;
    if (single.nodeAccepts) report.nodeAccepts += 1;
  }
  return single.disagreement ?? all.disagreement;
}
