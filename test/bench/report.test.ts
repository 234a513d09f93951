import { describe, expect, it } from '@jest/globals';
import type { ProxyName } from './contender.ts';
import type { Sample } from './measure.ts';
import { parseOptions } from './options.ts';
import { formatReport, missedLimits, type Report, workReport } from './report.ts';
import type { Work } from './works.ts';

const WORK: Work = {
  name: 'small',
  connections: 4,
  bodyBytes: 10,
  limits: [{ over: 'http-proxy', atMost: 3 }],
};

function rounds(cpu: readonly number[]): readonly Sample[] {
  return cpu.map((cpuMicros) => ({
    cpuMicros,
    allCpuMicros: cpuMicros + 1,
    requestsPerSecond: 1000,
    p50Micros: 500,
    p99Micros: 4000,
    residentBytes: 90e6,
    foreign: 0.25,
  }));
}

function report(samples: readonly (readonly [ProxyName, readonly number[]])[]): Report {
  return {
    schema: 1,
    at: '2026-03-02T10:00:00.000Z',
    machine: {
      cpu: 'some CPU',
      cores: 2,
      memoryBytes: 1,
      system: 'Linux 6',
      pinning: 'nothing pinned (why)',
    },
    options: parseOptions([])!,
    versions: { node: '20.0.0' },
    skipped: { nginx: 'nginx is not on PATH' },
    works: [workReport(WORK, new Map(samples.map(([name, cpu]) => [name, rounds(cpu)])))],
  };
}

describe('the report', () => {
  it('compares with the peers that took part and names the others', () => {
    const text = formatReport(
      report([
        ['sluice', [80, 80, 80, 80, 80]],
        ['http-proxy', [40, 40, 40, 40, 40]],
      ]),
    );
    expect(text).toContain('Without nginx: nginx is not on PATH.');
    expect(text).toContain('| sluice | 80.0 | 0 % | – | 2.00 | 1000 | 0.50 | 4.00 | 90 | 25 % |  |');
    expect(text).toContain('Limit: at most 3 × http-proxy — measured 2.00 ×, kept.');
  });

  it('marks a row whose rounds disagree', () => {
    const text = formatReport(report([['http-proxy', [40, 40, 40, 40, 60]]]));
    expect(text).toContain('| inconclusive: spread 50 % |');
  });

  it('fails for a missed limit only', () => {
    const peer = ['http-proxy', [10, 10, 10, 10, 10]] as const;
    expect(missedLimits(report([['sluice', [31, 31, 31, 31, 31]], peer]))).toBe(true);
    expect(missedLimits(report([['sluice', [20, 45, 25, 40, 30]], peer]))).toBe(false);
    expect(missedLimits(report([['sluice', [20, 20, 20, 20, 20]], peer]))).toBe(false);
  });

  it('says that a limit was skipped when its peer is missing', () => {
    const alone = report([['sluice', [20, 20, 20, 20, 20]]]);
    expect(alone.works[0]!.limits[0]).toMatchObject({ ratio: null, verdict: 'skipped' });
    expect(missedLimits(alone)).toBe(false);
  });
});
