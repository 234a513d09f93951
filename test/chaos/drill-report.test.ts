import { describe, expect, it } from '@jest/globals';
import { type DrillReport, formatDrill, missedLimits } from './drill-report.ts';
import type { FaultReport, Pass } from './drill-run.ts';

const LEDGER = { sent: 60, ok: 58, failed: 2, failedButExecuted: 1, twice: [], lost: [] };

function fault(name: string, rest: Partial<FaultReport> = {}): FaultReport {
  return {
    fault: name,
    observed: {
      safe: { ok: 500, status: 0, failed: 0, timeout: 0, cut: 4, forged: 0 },
      p50Ms: 21,
      p99Ms: 90,
      slowestMs: 431,
      detectedMs: 402,
      backMs: 6_100,
      moves: 2,
    },
    ledger: LEDGER,
    disturbance: { lateMs: 3, foreign: 0.02 },
    limits: [],
    journal: ['+0.40 s worker 0 ejected primary'],
    ...rest,
  };
}

function report(passes: readonly Partial<Pass>[]): DrillReport {
  return {
    schema: 1,
    at: '2026-03-02T10:00:00.000Z',
    machine: 'a machine',
    seconds: 5,
    versions: { sluice: '0.1.0' },
    skipped: { nginx: 'nginx is not on PATH' },
    passes: passes.map((pass) => ({
      proxy: 'sluice',
      rate: 300,
      faults: [fault('none'), fault('frozen')],
      ledger: LEDGER,
      ledgerLimits: [],
      ...pass,
    })),
  };
}

const MISSED = { limit: 'no safe request fails', found: '1 of 500 failed', verdict: 'missed' } as const;

describe('the report of the drill', () => {
  it('puts the proxies side by side, fault by fault', () => {
    const lines = formatDrill(report([{}, { proxy: 'haproxy' }])).split('\n');
    const rows = lines
      .filter((line) => /^\| (none|frozen)/.test(line))
      .map((line) => line.split(' | ').slice(0, 2));
    expect(rows).toEqual([
      ['| none', 'sluice'],
      ['| none', 'haproxy'],
      ['| frozen', 'sluice'],
      ['| frozen', 'haproxy'],
    ]);
    expect(lines).toContain(
      '| frozen | sluice | 504 | 0 | 4 | 21 | 90 | 431 | 402 | 6.1 | 2 | 2 (1) | 0 | 3 | 2 % |',
    );
  });

  it('says who did not take part, and that all limits were held', () => {
    const text = formatDrill(report([{}]));
    expect(text).toContain('Without nginx: nginx is not on PATH.');
    expect(text).toContain('Sluice held every limit.');
    expect(missedLimits(report([{}]))).toBe(false);
  });

  it('says which limit was missed, and what the gateway did meanwhile', () => {
    const missed = report([{ faults: [fault('frozen', { limits: [MISSED] })] }]);
    expect(missedLimits(missed)).toBe(true);
    expect(formatDrill(missed)).toContain(
      'Limit missed, 300 requests/s, frozen: no safe request fails; 1 of 500 failed.\n    +0.40 s worker 0 ejected primary',
    );
  });

  it('misses no limit of Sluice for what a peer does, and none that could not be judged', () => {
    expect(missedLimits(report([{ proxy: 'nginx', ledgerLimits: [MISSED] }]))).toBe(false);
    const inconclusive = report([{ ledgerLimits: [{ ...MISSED, verdict: 'inconclusive' }] }]);
    expect(missedLimits(inconclusive)).toBe(false);
    expect(formatDrill(inconclusive)).toContain('Sluice held every limit that could be judged.');
  });
});
