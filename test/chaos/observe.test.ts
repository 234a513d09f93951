import { describe, expect, it } from '@jest/globals';
import { errorsIn, observe } from './observe.ts';
import { type Sample, SampleLog, unpack, unsafeTarget } from './samples.ts';

const TIMES = { beganAt: 1_000, endedAt: 6_000, backAt: 8_500 };

function sample(at: number, rest: Partial<Sample> = {}): Sample {
  return { dueAt: at - 20, endedAt: at, outcome: 'ok', side: 'primary', unsafe: undefined, ...rest };
}

describe('what clients saw of a fault', () => {
  it('counts safe requests by how they ended, and unsafe ones not at all', () => {
    const { safe } = observe(
      [
        sample(1_001),
        sample(1_002, { outcome: 'cut' }),
        sample(1_003, { outcome: 'status' }),
        sample(1_004, { outcome: 'failed', unsafe: '/orders/1' }),
      ],
      TIMES,
    );
    expect(safe).toEqual({ ok: 1, cut: 1, status: 1, failed: 0, timeout: 0, forged: 0 });
  });

  it('holds against the proxy all that a client could not tell from an answer, and no cut', () => {
    expect(errorsIn({ ok: 9, cut: 5, status: 1, failed: 2, timeout: 3, forged: 4 })).toBe(10);
  });

  it('measures from when a request was due, and only whole answers', () => {
    const samples = [
      sample(2_000),
      sample(2_500, { dueAt: 1_800 }),
      sample(6_000, { dueAt: 1_000, outcome: 'timeout' }),
      sample(7_000, { dueAt: 1_000, unsafe: '/orders/1' }),
    ];
    const { slowestMs, p50Ms, p99Ms } = observe(samples, TIMES);
    expect([p50Ms, p99Ms, slowestMs]).toEqual([20, 700, 700]);
  });

  it('takes the first whole answer of the other side for the detection', () => {
    const other = (at: number, rest: Partial<Sample> = {}): Sample =>
      sample(at, { side: 'secondary', ...rest });
    const samples = [other(990), other(1_100, { outcome: 'cut' }), other(1_400), other(1_300)];
    expect(observe(samples, TIMES).detectedMs).toBe(300);
    expect(observe([sample(1_100)], TIMES).detectedMs).toBeUndefined();
  });

  it('says how long the traffic took to come back', () => {
    expect(observe([], TIMES).backMs).toBe(2_500);
    expect(observe([], { ...TIMES, backAt: undefined }).backMs).toBeUndefined();
  });

  it('counts how often most of the traffic changed sides', () => {
    // How many of ten in a bucket the primary answers: a trial is no move, and neither are halves.
    const primarys: Readonly<Record<string, number>> = { p: 9, s: 1, h: 5 };
    const sides = (text: string): readonly Sample[] =>
      [...text].flatMap((letter, index) =>
        Array.from({ length: 10 }, (_, one) =>
          sample(1_000 + index * 250 + one, { side: one < primarys[letter]! ? 'primary' : 'secondary' }),
        ),
      );
    expect(observe(sides('ppppp'), TIMES).moves).toBe(0);
    expect(observe(sides('ppssspp'), TIMES).moves).toBe(2);
    expect(observe(sides('pspsp'), TIMES).moves).toBe(4);
    expect(observe(sides('psshshpp'), TIMES).moves).toBe(2);
  });
});

describe('samples', () => {
  it('survive their way between processes', () => {
    const log = new SampleLog();
    log.add(1.5, 21.25, 'ok', 'primary', -1);
    log.add(2, 40, 'cut', 'nobody', 7);
    expect(unpack(log.take())).toEqual([
      { dueAt: 1.5, endedAt: 21.25, outcome: 'ok', side: 'primary', unsafe: undefined },
      { dueAt: 2, endedAt: 40, outcome: 'cut', side: 'nobody', unsafe: unsafeTarget(7) },
    ]);
    expect(unpack(log.take())).toEqual([]);
  });
});
