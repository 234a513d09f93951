import { describe, expect, it } from '@jest/globals';
import { judgeFault, judgeLedger } from './limits.ts';
import type { Observed } from './observe.ts';

const GOOD: Observed = {
  safe: { ok: 900, status: 0, failed: 0, timeout: 0, cut: 3, forged: 0 },
  p50Ms: 20,
  p99Ms: 30,
  slowestMs: 450,
  detectedMs: 400,
  backMs: 5_000,
  moves: 2,
};
const FROZEN = { movesTraffic: true, detectedWithinMs: 500 };
const SLOW = { movesTraffic: false, detectedWithinMs: undefined };

function missed(
  change: Partial<Observed>,
  fault: Parameters<typeof judgeFault>[0] = FROZEN,
  circumstances = { lateMs: 5, foreign: 0.1, hasTraffic: true },
): readonly string[] {
  return judgeFault(fault, { ...GOOD, ...change }, circumstances)
    .filter(({ verdict }) => verdict !== 'met')
    .map(({ limit, verdict }) => `${limit}: ${verdict}`);
}

describe('the limits of a fault', () => {
  it('are met by a failover in time, cut answers or not', () => {
    expect(missed({})).toEqual([]);
  });

  it.each(['status', 'failed', 'timeout', 'forged'] as const)(
    'allow no safe request to end as %s',
    (kind) => {
      expect(missed({ safe: { ...GOOD.safe, [kind]: 1 } })).toEqual(['no safe request fails: missed']);
    },
  );

  it('hold the slowest answer below a second', () => {
    expect(missed({ slowestMs: 1_000 })).toEqual(['the slowest safe answer < 1 s: missed']);
  });

  it('ask for the other side in time where a fault has a time', () => {
    expect(missed({ detectedMs: 500 })).toEqual(['the other side answers within 500 ms: missed']);
    expect(missed({ detectedMs: 700 }, { ...FROZEN, detectedWithinMs: undefined })).toEqual([]);
  });

  it('ask that traffic leaves a broken primary, and not that it leaves a slow one', () => {
    expect(missed({ detectedMs: undefined })).toEqual(['traffic leaves: missed']);
    expect(missed({ detectedMs: undefined, moves: 0 }, SLOW)).toEqual([]);
  });

  it('ask that traffic comes back, without swinging', () => {
    expect(missed({ backMs: undefined })).toEqual(['traffic comes back: missed']);
    expect(missed({ moves: 4 })).toEqual(['traffic moves there and back at most: missed']);
  });

  it('are not met by a primary that had nothing to lose', () => {
    expect(missed({}, FROZEN, { lateMs: 5, foreign: 0, hasTraffic: false })).toEqual([
      'the primary has the traffic when it breaks: missed',
    ]);
  });

  it.each([
    ['the machine stood still', { lateMs: 150, foreign: 0 }],
    ['others had the cores', { lateMs: 5, foreign: 0.4 }],
  ])('draw no conclusion about time while %s, and every other one', (_why, disturbance) => {
    const change = { slowestMs: 1_200, safe: { ...GOOD.safe, failed: 1 } };
    expect(missed(change, FROZEN, { ...disturbance, hasTraffic: true })).toEqual([
      'no safe request fails: missed',
      'the slowest safe answer < 1 s: inconclusive',
    ]);
  });
});

describe('the limits of the ledger', () => {
  it('allow nothing twice and nothing lost', () => {
    const clean = { sent: 9, ok: 8, failed: 1, failedButExecuted: 1, twice: [], lost: [] };
    expect(judgeLedger(clean).map(({ verdict }) => verdict)).toEqual(['met', 'met']);
    expect(judgeLedger({ ...clean, twice: ['/orders/3'] })[0]).toMatchObject({
      verdict: 'missed',
      found: '1 of 9: /orders/3',
    });
    expect(judgeLedger({ ...clean, lost: ['/orders/4'] })[1]).toMatchObject({ verdict: 'missed' });
  });
});
