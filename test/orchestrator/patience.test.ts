import { describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { awayMessage, createPatience } from '../../src/orchestrator/patience.ts';

const AWAY = platformError('unavailable', 'cf', 'the API does not answer', { why: 'ECONNREFUSED' });
const REFUSED = platformError('forbidden', 'cf', 'no');

function patient() {
  const clock = virtualClock();
  const said: string[] = [];
  const patience = createPatience({
    clock,
    signal: new AbortController().signal,
    onAway: (error, longestMs) => said.push(awayMessage(error, longestMs)),
  });
  /** Lets time pass as long as the call lasts; gives how much did. */
  async function run<T>(call: Promise<T>): Promise<{ readonly ms: number; readonly end: unknown }> {
    const began = clock.now();
    let end: { readonly value: unknown } | undefined;
    void call.then(
      (value) => {
        end = { value };
      },
      (error: unknown) => {
        end = { value: error };
      },
    );
    for (;;) {
      await new Promise((next) => setImmediate(next));
      if (end) return { ms: clock.now() - began, end: end.value };
      clock.advance(100);
    }
  }
  return { clock, said, patience, run };
}

/** Fails for so long, then answers. */
function awayUntil(clock: { now(): number }, ms: number, error = AWAY): () => Promise<string> {
  return async () => {
    if (clock.now() < ms) throw error;
    return 'here';
  };
}

describe('patience with a platform', () => {
  it('waits for an API that is gone for 30 s, and says so once', async () => {
    const { clock, said, patience, run } = patient();
    const { ms, end } = await run(patience.call(awayUntil(clock, 30_000)));
    expect(end).toBe('here');
    expect(ms).toBeGreaterThanOrEqual(30_000);
    expect(ms).toBeLessThan(31_000);
    expect(said).toEqual(['the API does not answer (ECONNREFUSED); trying again for up to 120 s']);
  });

  it('ends after two minutes with what the platform said', async () => {
    const { clock, patience, run } = patient();
    const { ms, end } = await run(patience.call(awayUntil(clock, 600_000)));
    expect(end).toBe(AWAY);
    expect(ms).toBeGreaterThanOrEqual(120_000);
    expect(ms).toBeLessThan(121_000);
  });

  it('has none with a refusal', async () => {
    const { clock, patience, run } = patient();
    expect(await run(patience.call(awayUntil(clock, 1, REFUSED)))).toEqual({ ms: 0, end: REFUSED });
  });

  it('waits as long as it was asked to, and begins anew once it was answered', async () => {
    const { clock, said, patience, run } = patient();
    const busy = platformError('rateLimited', 'cf', 'slow down', { retryAfterMs: 3_000 });
    expect((await run(patience.call(awayUntil(clock, 1, busy)))).ms).toBe(3_000);
    await run(patience.call(awayUntil(clock, clock.now() + 100_000)));
    const { end } = await run(patience.call(awayUntil(clock, clock.now() + 100_000)));
    expect(end).toBe('here');
    expect(said).toHaveLength(3);
  });
});
