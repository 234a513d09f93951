import { describe, expect, it } from '@jest/globals';
import type { PlatformProvider } from '../../src/core/provider.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { hearNews } from '../../src/orchestrator/news.ts';
import { settled } from '../support/virtual-time.ts';

function platform() {
  const listeners = new Set<() => void>();
  const provider: Pick<PlatformProvider, 'changes'> = {
    changes(_, changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
  return {
    provider: provider as PlatformProvider,
    listeners,
    change: () => {
      for (const listener of listeners) listener();
    },
  };
}

const { signal } = new AbortController();

async function waits(clock: ReturnType<typeof virtualClock>, waiting: Promise<void>): Promise<number> {
  const began = clock.now();
  let isOver = false;
  void waiting.then(() => {
    isOver = true;
  });
  await settled();
  while (!isOver) {
    clock.advance(10);
    await settled();
  }
  return clock.now() - began;
}

describe('waiting for news of a platform', () => {
  it('ends soon after something happened there', async () => {
    const clock = virtualClock();
    const { provider, change } = platform();
    const news = hearNews(clock, provider, 'shop');
    clock.after(100, change);
    expect(await waits(clock, news.wait(3_000, signal))).toBe(150);
  });

  it('does not wait for what happened while it was asked', async () => {
    const clock = virtualClock();
    const { provider, change } = platform();
    const news = hearNews(clock, provider, 'shop');
    news.forget();
    change();
    expect(await waits(clock, news.wait(3_000, signal))).toBe(50);
    news.forget();
    expect(await waits(clock, news.wait(3_000, signal))).toBe(3_000);
  });

  it('is plain waiting where the platform tells of nothing', async () => {
    const clock = virtualClock();
    const news = hearNews(clock, {} as PlatformProvider, 'shop');
    expect(await waits(clock, news.wait(400, signal))).toBe(400);
    news.close();
  });

  it('ends with the reason of whoever stops it, and hears nothing afterwards', async () => {
    const clock = virtualClock();
    const { provider, listeners } = platform();
    const news = hearNews(clock, provider, 'shop');
    const stop = new AbortController();
    const waiting = news.wait(3_000, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    news.close();
    expect(listeners.size).toBe(0);
  });
});
