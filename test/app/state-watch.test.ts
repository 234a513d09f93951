import { describe, expect, it } from '@jest/globals';
import { createStateWatch } from '../../src/app/state-watch.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { silentLogger } from '../../src/observe/logger.ts';

/** Promises settle between two steps of the clock. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function watched() {
  const clock = virtualClock(1_000_000);
  const told: string[] = [];
  let answer: () => Promise<void> = async () => undefined;
  const watch = createStateWatch({
    ...{ clock, logger: silentLogger, tell: (state) => told.push(state) },
    store: { put: () => answer() },
  });
  await watch.start();
  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      await settled();
      clock.advance(1_000);
      await settled();
    }
  }
  return { watch, told, pass, answers: (next: () => Promise<void>) => (answer = next) };
}

describe('the watch over the state store', () => {
  it('says nothing while it answers', async () => {
    const { watch, told, pass } = await watched();
    await pass(30);
    expect(told).toEqual([]);
    await watch.close();
  });

  it('tells once that it is lost, and once that it is back', async () => {
    const { watch, told, pass, answers } = await watched();
    await pass(6);
    answers(async () => {
      throw new Error('ENOSPC: no space left on device');
    });
    await pass(20);
    expect(told).toEqual(['lost']);
    answers(async () => undefined);
    await pass(6);
    expect(told).toEqual(['lost', 'ok']);
    await watch.close();
  });

  it('does not wait for a store that never answers', async () => {
    const { watch, told, pass, answers } = await watched();
    answers(() => new Promise(() => undefined));
    await pass(8);
    expect(told).toEqual(['lost']);
    await watch.close();
  });

  it('is silent once it is closed', async () => {
    const { watch, told, pass, answers } = await watched();
    await watch.close();
    answers(async () => {
      throw new Error('gone');
    });
    await pass(20);
    expect(told).toEqual([]);
  });
});
