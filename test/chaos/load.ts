import { resolve } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { type Forked, forkProgram } from './forked.ts';
import type { Collected, LoadOrder, LoadSetting, LoadWord, Progress } from './load-messages.ts';
import { monotonicMs } from './monotonic.ts';
import { type Sample, unpack } from './samples.ts';

const PROGRAM = resolve(import.meta.dirname, 'load-process.js');
/** So much of what was answered in this many words in a row counts as all of it. */
const ALMOST_ALL = 0.99;
const WORDS = 5;

/** The load of the drill, seen from where it is ordered. */
export class Load {
  readonly #process: Forked<LoadOrder, LoadWord> = forkProgram(PROGRAM, []);

  start(setting: LoadSetting): void {
    this.#process.send({ kind: 'start', setting });
  }

  /** When the primary had answered almost all for half a second; undefined: not within `withinMs`. */
  primaryServes(withinMs: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      let inARow = 0;
      const late = systemClock.after(withinMs, () => end(undefined));
      const stop = this.#process.onMessage((word) => {
        if (word.kind !== 'progress') return;
        inARow = isPrimarys(word) ? inARow + 1 : 0;
        if (inARow >= WORDS) end(monotonicMs());
      });
      function end(at: number | undefined): void {
        late();
        stop();
        resolve(at);
      }
    });
  }

  /** What ended since the last time, and how late the load itself came. */
  async collect(): Promise<{ readonly samples: readonly Sample[]; readonly lateMs: number }> {
    const collected = this.#process.next('collected', (word): word is Collected => word.kind === 'collected');
    this.#process.send({ kind: 'collect' });
    const { samples, lateMs } = await collected;
    return { samples: unpack(samples), lateMs };
  }

  /** No further requests; resolves when the last one has ended. */
  async stop(): Promise<void> {
    const stopped = this.#process.next('stopped', (word): word is LoadWord => word.kind === 'stopped');
    this.#process.send({ kind: 'stop' });
    await stopped;
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}

function isPrimarys({ primary, secondary, other }: Progress): boolean {
  const all = primary + secondary + other;
  return all > 0 && primary / all >= ALMOST_ALL;
}
