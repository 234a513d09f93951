import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../src/core/logs.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { type Drain, startDrain } from '../../src/logs/drain.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { pass } from '../support/virtual-time.ts';

let clock: VirtualClock;
let drain: Drain | undefined;
let print: (...texts: string[]) => void;
let batches: string[][];
let fails: boolean;
let refused: number;

beforeEach(() => {
  clock = virtualClock(1_000);
  batches = [];
  fails = false;
  refused = 0;
});
afterEach(async () => {
  fails = false;
  await drain?.close();
});

function start(): void {
  const waiting: LogEntry[] = [];
  let wake: () => void = () => undefined;
  print = (...texts) => {
    for (const text of texts) waiting.push({ at: clock.now(), application: 'shop', source: 'app', text });
    wake();
  };
  drain = startDrain({
    application: 'shop',
    async *entries(signal) {
      signal.addEventListener('abort', () => wake());
      while (!signal.aborted) {
        yield* waiting.splice(0);
        if (waiting.length > 0) continue;
        await new Promise<void>((resume) => {
          wake = resume;
        });
      }
    },
    sender: {
      async send(entries) {
        if (fails) throw new Error('refused');
        batches.push(entries.map(({ text }) => text));
        return { refused };
      },
      async close() {},
    },
    clock,
    logger: silentLogger,
  });
}

describe('a log drain', () => {
  it('sends what came since the last batch', async () => {
    start();
    print('a', 'b');
    await pass(clock, 2_000, 100);
    print('c');
    await pass(clock, 2_000, 100);
    expect(batches).toEqual([['a', 'b'], ['c']]);
    expect(drain?.counts()).toEqual({ application: 'shop', sent: 3, dropped: 0, pending: 0, up: true });
  });

  it('tries a batch again until it got there, later and later', async () => {
    start();
    fails = true;
    print('a');
    await pass(clock, 10_000, 100);
    expect(drain?.counts()).toMatchObject({ sent: 0, pending: 1, up: false });
    fails = false;
    await pass(clock, 30_000, 100);
    expect(batches).toEqual([['a']]);
    expect(drain?.counts()).toMatchObject({ sent: 1, dropped: 0, pending: 0, up: true });
  });

  it('keeps the newest while nobody takes any, and tells how many are missing', async () => {
    start();
    fails = true;
    print(...Array.from({ length: 10_003 }, (_, i) => `${i}`));
    await pass(clock, 5_000, 100);
    expect(drain?.counts()).toMatchObject({ dropped: 3, pending: 10_000 });
    fails = false;
    await pass(clock, 40_000, 100);
    const all = batches.flat();
    expect(all.slice(0, 2)).toEqual(['3 lines are missing here: they could not be sent', '3']);
    expect(all).toHaveLength(10_001);
    expect(all.at(-1)).toBe('10002');
    expect(drain?.counts()).toMatchObject({ dropped: 3, pending: 0 });
  });

  it('does not send again what was refused for good', async () => {
    start();
    refused = 1;
    print('a', 'b');
    await pass(clock, 5_000, 100);
    expect(batches).toHaveLength(1);
    expect(drain?.counts()).toMatchObject({ sent: 1, dropped: 1, pending: 0 });
  });

  it('sends what is left when it ends', async () => {
    start();
    await pass(clock, 100);
    print('last words');
    await pass(clock, 10);
    await drain?.close();
    expect(batches).toEqual([['last words']]);
  });
});
