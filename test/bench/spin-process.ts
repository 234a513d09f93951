import { schedule, tickMicros } from './proc.ts';

/** Keeps its core busy: `spin-process.js MILLISECONDS`, prints one `SpinResult`. */
export interface SpinResult {
  readonly wallMicros: number;
  /** By the scheduler: how long it ran, and had to wait for the core. Null: this kernel does not tell. */
  readonly ranMicros: number | null;
  readonly waitedMicros: number | null;
  /** By clock ticks. */
  readonly tickMicros: number;
}

const millis = Number(process.argv[2]);
const before = schedule(process.pid, true);
const ticksBefore = tickMicros(process.pid);
const startedAt = performance.now();
const until = startedAt + millis;
while (performance.now() < until);
const wallMicros = (performance.now() - startedAt) * 1000;
const after = schedule(process.pid, true);
const known = before !== undefined && after !== undefined;
const result: SpinResult = {
  wallMicros,
  ranMicros: known ? after.ranMicros - before.ranMicros : null,
  waitedMicros: known ? after.waitedMicros - before.waitedMicros : null,
  tickMicros: tickMicros(process.pid) - ticksBefore,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
