import type { Random } from '../../src/core/ports.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type { Cleanup } from '../gateway/harness.ts';
import { type Arrival, Client, createLane, type Lane, type Side } from './lane.ts';
import { anyMessage, chunkedMessage, type Message, pipelined } from './messages.ts';
import type { Budget } from './parsers.ts';
import { readSequence, type Sequence } from './sequences.ts';

export interface WiresReport {
  messages: number;
  /** Requests that both wires have passed on. */
  bothAccept: number;
  /** Requests that only the compat wire has passed on: where it is laxer, by reason. */
  readonly laxer: Record<string, number>;
  readonly disagreements: string[];
}

const LANES = 6;
/** For what ought to come at once. A disagreement counts only when it stays after more patience. */
const PATIENCE_MS = 400;
const MORE_PATIENCE_MS = 5_000;

/**
 * Where the compat wire may pass on what the byte wire refuses, by what was refused. Anything else is a fault. None of
 * these moves the end of a message: the compat wire drops trailers and extensions.
 */
const LAXER: readonly (readonly [
  reason: string,
  applies: (refused: string, part: 'head' | 'body') => boolean,
])[] = [
  ['CR and LF in any order before a request line', (text, part) => part === 'head' && /^[\r\n]/.test(text)],
  [
    'several spaces where one belongs',
    (text, part) => part === 'head' && /^(\r\n)*[A-Z-]+( \S+)? {2}/.test(text),
  ],
  [
    'trailers that decide something, or too many of them',
    (text, part) => part === 'body' && /\r\n0+(;[^\r\n]*)?\r\n[!-~]/.test(text),
  ],
  ['chunk extensions beyond the grammar', (text, part) => part === 'body' && /\r\n[0-9a-f]+;/i.test(text)],
];

/** undici has no way to say `OPTIONS *`: the compat wire answers it with an error of its own, and nothing arrives. */
function isSendable({ target }: Arrival): boolean {
  return target !== '*';
}

/** The same bytes through a gateway with each wire: what the byte wire passes on the other does too, and alike. */
export async function fuzzWires(
  { count, goesOn }: Budget,
  seed: number,
  cleanup: Cleanup,
): Promise<WiresReport> {
  const random = seededRandom(seed);
  const report: WiresReport = { messages: 0, bothAccept: 0, laxer: {}, disagreements: [] };
  const lanes = await Promise.all(Array.from({ length: LANES }, () => createLane(cleanup)));
  let index = 0;
  async function run(lane: Lane): Promise<void> {
    while (index < count && goesOn() && report.disagreements.length < 10) {
      const i = index;
      index += 1;
      const message = next(i, random);
      const cuts = [Math.floor(random() * 400), Math.floor(random() * 400)];
      let result = await compareOnce(lane, message, cuts, PATIENCE_MS);
      if (result.disagreement !== undefined)
        result = await compareOnce(lane, message, cuts, MORE_PATIENCE_MS);
      report.messages += 1;
      report.bothAccept += result.both;
      if (result.laxer !== undefined) report.laxer[result.laxer] = (report.laxer[result.laxer] ?? 0) + 1;
      if (result.disagreement === undefined) continue;
      const literal = JSON.stringify({ ...message, cuts });
      report.disagreements.push(`wires ${i} of seed ${seed}: ${result.disagreement}: ${literal}`);
    }
  }
  await Promise.all(lanes.map(run));
  return report;
}

function next(index: number, random: Random): Message {
  const turn = index % 10;
  if (turn < 4) return anyMessage('request', random);
  return turn < 7 ? chunkedMessage('request', random) : pipelined(random);
}

interface Result {
  readonly both: number;
  readonly laxer: string | undefined;
  readonly disagreement: string | undefined;
}

export async function compareOnce(
  lane: Lane,
  { text }: Message,
  cuts: readonly number[],
  patience: number,
): Promise<Result> {
  const bytes = Buffer.from(text, 'latin1');
  const from = nextAddress();
  const sequence = readSequence(bytes, []);
  const [fast, compat] = await Promise.all([
    sendAtOnce(lane.fast, from, bytes, cuts, sequence, patience),
    sendInTurn(lane.compat, from, bytes, sequence, patience),
  ]);
  return judge(fast, compat, sequence, text);
}

interface Outcome {
  readonly arrivals: readonly Arrival[];
  readonly faults: readonly string[];
  readonly text: string;
}

/** All of it, cut anywhere. */
async function sendAtOnce(
  side: Side,
  address: string | undefined,
  bytes: Buffer,
  cuts: readonly number[],
  sequence: Sequence,
  patience: number,
): Promise<Outcome> {
  begin(side);
  const client = new Client(side.port, address);
  let from = 0;
  for (const cut of [...cuts].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)) {
    client.write(bytes.subarray(from, cut));
    from = cut;
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.write(bytes.subarray(from));
  await client.wait(sequence.messages.length, patience);
  return finish(side, client, address, sequence, patience);
}

/**
 * Message by message: node:http reads on while it still answers, and would drop the answer to a good request for a
 * fault in the one behind it.
 */
async function sendInTurn(
  side: Side,
  address: string | undefined,
  bytes: Buffer,
  sequence: Sequence,
  patience: number,
): Promise<Outcome> {
  begin(side);
  const client = new Client(side.port, address);
  let from = 0;
  for (const [i, { to }] of sequence.messages.entries()) {
    client.write(bytes.subarray(from, to));
    from = to;
    await client.wait(i + 1, patience);
  }
  client.write(bytes.subarray(from));
  return finish(side, client, address, sequence, patience);
}

let addresses = 0;

/**
 * Every message comes from an address of its own, which the gateway tells its origin: what arrives late is not taken
 * for a part of the next one. Only Linux has all of 127/8.
 */
function nextAddress(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  addresses = (addresses + 1) % 0xf0_0000;
  return `127.${1 + (addresses >> 16)}.${(addresses >> 8) & 0xff}.${addresses & 0xff}`;
}

function isFrom({ fields }: Arrival, address: string | undefined): boolean {
  return address === undefined || fields.includes(`x-forwarded-for: ${address}`);
}

function begin(side: Side): void {
  side.arrivals = [];
  side.faults = [];
}

async function finish(
  side: Side,
  client: Client,
  address: string | undefined,
  { messages, stop }: Sequence,
  patience: number,
): Promise<Outcome> {
  if (stop === 'refused') await client.wait(messages.length + 1, patience);
  // Half a message: nothing comes of it, however long one waits. What would be wrong comes soon.
  else if (stop === 'incomplete') await client.closed(6);
  client.destroy();
  return {
    arrivals: side.arrivals.filter((each) => isSendable(each) && isFrom(each, address)),
    faults: side.faults,
    text: client.text,
  };
}

function judge(fast: Outcome, compat: Outcome, sequence: Sequence, text: string): Result {
  const both = Math.min(fast.arrivals.length, compat.arrivals.length);
  const wrong = (disagreement: string): Result => ({ both, laxer: undefined, disagreement });
  if (fast.faults.length > 0)
    return wrong(`an origin cannot read what the byte wire sends: ${fast.faults[0]}`);
  for (let i = 0; i < both; i += 1) {
    const [ours, theirs] = [JSON.stringify(fast.arrivals[i]), JSON.stringify(compat.arrivals[i])];
    if (ours !== theirs) return wrong(`request ${i}: the byte wire sends ${ours}, compat ${theirs}`);
  }
  const extra = fast.arrivals[both];
  // node:http ends a connection where it had to answer an expectation without a body; that is its right.
  if (extra !== undefined && hasClosedBehindAnswer(compat.text))
    return { both, laxer: undefined, disagreement: undefined };
  if (extra !== undefined)
    return wrong(
      `only the byte wire passes on ${JSON.stringify(extra)}; compat says ${lastStatus(compat.text)}`,
    );
  if (compat.arrivals.length === both) return { both, laxer: undefined, disagreement: undefined };
  const { refused, messages } = sequence;
  const rest = text.slice(messages.at(-1)?.to ?? 0);
  const laxer = refused === undefined ? undefined : LAXER.find(([, applies]) => applies(rest, refused))?.[0];
  if (laxer !== undefined) return { both, laxer, disagreement: undefined };
  return wrong(
    `only compat passes on ${JSON.stringify(compat.arrivals[both])}; the byte wire says ${lastStatus(fast.text)}`,
  );
}

function hasClosedBehindAnswer(text: string): boolean {
  const last = text.slice(text.lastIndexOf('HTTP/1.1 '));
  return lastStatus(last) === 200 && /\r\nconnection: close\r\n/i.test(last);
}

function lastStatus(text: string): number {
  const all = [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)];
  return Number(all.at(-1)?.[1] ?? 0);
}
