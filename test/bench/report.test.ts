import { describe, expect, it } from '@jest/globals';
import type { ProxyName } from './contender.ts';
import { formatReport } from './format.ts';
import type { Sample } from './measure.ts';
import { disagrees, hasFailed, idleReport, type Report, trafficReport, type WorkReport } from './report.ts';
import { WORKS, type Work, type WorkKey } from './works.ts';

const workOf = (key: WorkKey): Work => WORKS.find((work) => work.key === key)!;

function rounds(cpu: readonly number[]): readonly Sample[] {
  return cpu.map((cpuMicros) => ({
    cpuMicros,
    allCpuMicros: cpuMicros + 1,
    requestsPerSecond: 1000,
    p50Micros: 500,
    p99Micros: 4000,
    residentBytes: 90e6,
    foreign: 0.25,
    waited: 0.1,
    softIrqMicros: 0,
    lateP99Micros: null,
    givenUp: null,
  }));
}

type Cpu = readonly (readonly [ProxyName, readonly number[]])[];

function small(samples: Cpu) {
  return trafficReport(workOf('small'), 'wrk', {
    samples: new Map(samples.map(([name, cpu]) => [name, rounds(cpu)])),
    without: new Map(),
  });
}

function report(...works: readonly WorkReport[]): Report {
  return {
    schema: 2,
    at: '2026-03-02T10:00:00.000Z',
    machine: {
      cpu: 'some CPU',
      cores: 2,
      memoryBytes: 2 ** 33,
      system: 'Linux 6',
      pinning: 'nothing pinned (why)',
    },
    accounting: { source: 'scheduler', explained: 0.998, byTicks: 0.99 },
    rounds: 5,
    seconds: 3,
    warmUpSeconds: 3,
    versions: { node: '20.0.0', fastify: '5.0.0, plugin 1' },
    skipped: { haproxy: 'haproxy is not on PATH' },
    works,
  };
}

const STEADY = (value: number): readonly number[] => [value, value, value, value, value];

describe('the report', () => {
  it('compares with the peers that took part and names the others', () => {
    const text = formatReport(
      report(
        small([
          ['sluice', STEADY(18)],
          ['nginx', STEADY(16)],
          ['http-proxy', STEADY(60)],
        ]),
      ),
    );
    expect(text).toContain(
      '2026-03-02; some CPU, 2 cores, 8 GB, Linux 6; node 20.0.0, fastify (5.0.0, plugin 1).',
    );
    expect(text).toContain('Without haproxy: haproxy is not on PATH.');
    expect(text).toContain(
      '| sluice | 18.0 | 0 % | 1.13 | 0.30 | 19.0 | 1000 | 0.50 | 4.00 | 90 | 25 % |  |',
    );
    expect(text).toContain(
      'Limit: at most 1.25 × nginx, target 1.1 — measured 1.13, kept, target not reached.',
    );
    expect(text).toContain('Limit: at most 0.35 × http-proxy — measured 0.30, kept.');
  });

  it('marks a row whose rounds disagree, and asks again only where a limit needs the row', () => {
    const noisy = [40, 40, 40, 40, 60];
    const peer = small([
      ['sluice', STEADY(10)],
      ['fastify', noisy],
    ]);
    expect(formatReport(report(peer))).toContain('| inconclusive: spread 50 % |');
    expect(disagrees(peer)).toBe(false);
    expect(
      disagrees(
        small([
          ['sluice', STEADY(10)],
          ['nginx', noisy],
        ]),
      ),
    ).toBe(true);
    expect(disagrees(small([['sluice', noisy]]))).toBe(true);
  });

  it('fails for a missed limit and for a gateway that failed, and for nothing else', () => {
    const nginx = ['nginx', STEADY(10)] as const;
    expect(hasFailed(report(small([['sluice', STEADY(13)], nginx])))).toBe(true);
    expect(hasFailed(report(small([['sluice', [9, 20, 11, 18, 14]], nginx])))).toBe(false);
    expect(hasFailed(report(small([['sluice', STEADY(12)], nginx])))).toBe(false);
    const undone = { key: 'tls', name: 'TLS', why: 'so' } as const;
    expect(hasFailed(report({ ...undone, outcome: 'skipped' }))).toBe(false);
    expect(hasFailed(report({ ...undone, outcome: 'failed' }))).toBe(true);
    expect(formatReport(report({ ...undone, outcome: 'skipped' }))).toContain('\n\nskipped: so\n');
  });

  it('says that a limit was skipped when its peer is missing', () => {
    const alone = small([['sluice', STEADY(20)]]);
    expect(alone.limits[0]).toMatchObject({ value: null, verdict: 'skipped', onTarget: null });
    expect(hasFailed(report(alone))).toBe(false);
    expect(formatReport(report(alone))).toContain('— not measured, skipped.');
  });

  it('shows latencies where load goes by the clock, and no cost where there is no proxy', () => {
    const [direct] = rounds([1]);
    const paced = trafficReport(workOf('paced-2000'), 'own', {
      samples: new Map([
        ['sluice', rounds(STEADY(30))],
        ['direct', [{ ...direct!, cpuMicros: null, allCpuMicros: null, lateP99Micros: 900 }]],
      ]),
      without: new Map(),
    });
    const text = formatReport(report(paced));
    expect(text).toContain('| sluice | 500 | 500 | 4000 | 4000 | – | 1000 | 30.0 | 25 % |  |');
    expect(text).toContain('| direct | 500 | 500 | 4000 | 4000 | 900 | 1000 | – | – |  |');
  });

  it('holds idle clients to the higher of the two moments', () => {
    const sample = { beforeBytes: 60e6, residentBytes: 140e6, againBytes: 149e6, idleCpu: 0.01 };
    const idle = (changes: Partial<typeof sample>) =>
      idleReport(workOf('idle'), {
        samples: new Map([['sluice', { ...sample, ...changes }]]),
        without: new Map([['haproxy', 'too many']]),
      });
    const text = formatReport(report(idle({})));
    expect(text).toContain('| sluice | 60 | 140 | 149 | 8.9 | 1 % |');
    expect(text).toContain('Limit: at most 150 MB, target 120 — measured 149, kept, target not reached.');
    expect(text).toContain('Without haproxy: too many.');
    expect(hasFailed(report(idle({ againBytes: 151e6 })))).toBe(true);
  });

  it('is the same after a journey through JSON', () => {
    const [direct] = rounds([1]);
    const whole = report(
      small([
        ['sluice', STEADY(18)],
        ['nginx', STEADY(16)],
      ]),
      trafficReport(workOf('paced-8000'), 'own', {
        samples: new Map([['direct', [{ ...direct!, cpuMicros: null, allCpuMicros: null }]]]),
        without: new Map(),
      }),
    );
    expect(formatReport(JSON.parse(JSON.stringify(whole)) as Report)).toBe(formatReport(whole));
  });
});
