import type { Cleanup } from '../gateway/harness.ts';
import { createLane } from './lane.ts';
import type { Message } from './messages.ts';
import { type Budget, compareOne, fuzzParsers } from './parsers.ts';
import { compareOnce, fuzzWires } from './wires.ts';

const USAGE = `node dist/test/fuzz/main.js [count] [seed] [--seconds N] [--message JSON]

count      messages for the parsers (1000000); the wires get one for every 25 of them
seed       any number (1); the same one makes the same messages
--seconds  stops after so long: one half for the parsers, one for the wires
--message  looks at one message only, as a report prints it`;

const args = process.argv.slice(2);
const cleanup: Cleanup = { tasks: [] };

async function main(): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const literal = option('--message');
  const seconds = Number(option('--seconds') ?? 0);
  if (literal !== undefined) return one(literal);
  const strange = args.find((arg) => !/^[0-9]+$/.test(arg));
  if (strange !== undefined || Number.isNaN(seconds)) {
    process.stderr.write(`${strange ?? '--seconds'} is no number, so nothing was looked at\n\n${USAGE}\n`);
    return 2;
  }
  const [count = seconds > 0 ? Number.MAX_SAFE_INTEGER : 1_000_000, seed = 1] = args.map(Number);
  process.stdout.write(`seed ${seed}\n`);
  const parsers = fuzzParsers(budget(count, seconds), seed);
  print('parsers', parsers);
  const wires = await fuzzWires(budget(Math.ceil(count / 25), seconds), seed, cleanup);
  print('wires', wires);
  return parsers.disagreements.length + wires.disagreements.length === 0 ? 0 : 1;
}

async function one(literal: string): Promise<number> {
  const { cuts = [], ...message } = JSON.parse(literal) as Message & { readonly cuts?: readonly number[] };
  const found = compareOne(message, cuts);
  const wires =
    message.kind === 'request'
      ? await compareOnce(await createLane(cleanup), message, cuts, 5_000)
      : undefined;
  print('message', { parsers: found ?? 'no disagreement', wires: wires?.disagreement ?? 'no disagreement' });
  return found === undefined && wires?.disagreement === undefined ? 0 : 1;
}

function budget(count: number, seconds: number): Budget {
  const until = performance.now() + 500 * seconds;
  return { count, goesOn: () => seconds <= 0 || performance.now() < until };
}

/** Takes it out of the arguments. */
function option(name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}

function print(what: string, report: object): void {
  process.stdout.write(`${what} ${JSON.stringify(report, undefined, 2)}\n`);
}

main()
  .then(async (status) => {
    for (const task of cleanup.tasks) await task();
    process.exitCode = status;
  })
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 2;
  });
