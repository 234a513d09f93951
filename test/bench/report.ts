import type { Accounting } from './accounting.ts';
import type { ProxyName } from './contender.ts';
import type { IdleRun, IdleSample } from './idle.ts';
import { type Conclusion, conclude, judge, type Verdict } from './judge.ts';
import type { Limit } from './limits.ts';
import type { Machine } from './machine.ts';
import type { Sample } from './measure.ts';
import type { Rounds, Samples } from './run.ts';
import { median, ratios, type Summary, summarize } from './statistics.ts';
import type { Traffic, Work, WorkKey } from './works.ts';

/** The JSON of one run: every round of every number, so that others can do their own sums. */
export interface Report {
  readonly schema: 2;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly accounting: Accounting;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Who did not take part at all, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly works: readonly WorkReport[];
}

export type WorkReport = TrafficReport | IdleReport | UndoneReport;

interface WorkHead {
  readonly key: WorkKey;
  readonly name: string;
}

/** `skipped`: this machine or this build cannot; `failed`: the gateway should have and did not. */
export interface UndoneReport extends WorkHead {
  readonly outcome: 'skipped' | 'failed';
  readonly why: string;
}

export interface TrafficReport extends WorkHead {
  readonly outcome: 'measured';
  readonly traffic: Exclude<Traffic, { kind: 'idle' }>;
  readonly bodyBytes: number;
  /** Which generator sent the requests. */
  readonly load: string;
  readonly proxies: readonly ProxyReport[];
  /** Who was left out of this work, and why. */
  readonly without: Readonly<Record<string, string>>;
  readonly limits: readonly LimitReport[];
  /** The rounds that disagreed and were repeated; not used for anything, and kept so that nobody need trust us. */
  readonly firstTry?: readonly ProxyReport[];
}

export interface IdleReport extends WorkHead {
  readonly outcome: 'measured';
  readonly traffic: Extract<Traffic, { kind: 'idle' }>;
  readonly proxies: readonly (IdleSample & { readonly name: ProxyName })[];
  readonly without: Readonly<Record<string, string>>;
  readonly limits: readonly LimitReport[];
}

export interface ProxyReport {
  readonly name: ProxyName;
  readonly cpuMicros: Summary | null;
  readonly allCpuMicros: Summary | null;
  readonly requestsPerSecond: Summary;
  readonly p50Micros: Summary;
  readonly p99Micros: Summary;
  readonly residentBytes: Summary | null;
  readonly foreign: Summary | null;
  readonly waited: Summary | null;
  readonly softIrqMicros: Summary | null;
  readonly lateP99Micros: Summary | null;
  readonly givenUp: Summary | null;
  /** CPU time beside each peer, median of the rounds' ratios. */
  readonly times: Readonly<Partial<Record<ProxyName, number>>>;
  /** Why its CPU time is not to be quoted; null: it may be. */
  readonly inconclusive: string | null;
}

export interface LimitReport {
  readonly limit: Limit;
  /** Median ratio, or 10⁶ bytes; null: not measured. */
  readonly value: number | null;
  readonly verdict: Verdict | 'skipped';
  /** Null: there is no target, or nothing was measured. */
  readonly onTarget: boolean | null;
}

/** The peers every proxy is compared with. */
const YARDSTICKS: readonly ProxyName[] = ['nginx', 'http-proxy'];

export function trafficReport(work: Work, load: string, rounds: Rounds): TrafficReport {
  if (work.traffic.kind === 'idle') throw new Error('idle clients have a report of their own');
  const { samples, without } = rounds;
  return {
    key: work.key,
    name: work.name,
    outcome: 'measured',
    traffic: work.traffic,
    bodyBytes: work.bodyBytes,
    load,
    proxies: [...samples].map(([name, all]) => proxyReport(name, all, samples)),
    without: Object.fromEntries(without),
    limits: work.limits.map((limit) => cpuLimit(limit, samples)),
  };
}

function proxyReport(name: ProxyName, all: readonly Sample[], samples: Samples): ProxyReport {
  const cpu = numbers(all, 'cpuMicros');
  const conclusion: Conclusion = cpu.length === 0 ? { conclusive: true } : conclude(cpu);
  return {
    name,
    cpuMicros: summary(all, 'cpuMicros'),
    allCpuMicros: summary(all, 'allCpuMicros'),
    requestsPerSecond: summarize(numbers(all, 'requestsPerSecond')),
    p50Micros: summarize(numbers(all, 'p50Micros')),
    p99Micros: summarize(numbers(all, 'p99Micros')),
    residentBytes: summary(all, 'residentBytes'),
    foreign: summary(all, 'foreign'),
    waited: summary(all, 'waited'),
    softIrqMicros: summary(all, 'softIrqMicros'),
    lateP99Micros: summary(all, 'lateP99Micros'),
    givenUp: summary(all, 'givenUp'),
    times: Object.fromEntries(
      YARDSTICKS.flatMap((peer) => {
        const other = cpuOf(samples, peer);
        return other === undefined || cpu.length === 0 ? [] : [[peer, median(ratios(cpu, other))]];
      }),
    ),
    inconclusive: conclusion.conclusive ? null : conclusion.why,
  };
}

function cpuLimit(limit: Limit, samples: Samples): LimitReport {
  if (limit.measure !== 'cpu') throw new Error('only idle clients have limits on memory');
  const gateway = cpuOf(samples, 'sluice');
  const peer = cpuOf(samples, limit.over);
  if (gateway === undefined || peer === undefined) {
    return { limit, value: null, verdict: 'skipped', onTarget: null };
  }
  const value = median(ratios(gateway, peer));
  const onTarget = limit.target === undefined ? null : value <= limit.target;
  return { limit, value, verdict: judge(gateway, peer, limit.atMost), onTarget };
}

export function idleReport(work: Work, { samples, without }: IdleRun): IdleReport {
  if (work.traffic.kind !== 'idle') throw new Error('only for idle clients');
  const gateway = samples.get('sluice');
  return {
    key: work.key,
    name: work.name,
    outcome: 'measured',
    traffic: work.traffic,
    proxies: [...samples].map(([name, sample]) => ({ name, ...sample })),
    without: Object.fromEntries(without),
    limits: work.limits.map((limit): LimitReport => {
      if (limit.measure !== 'memory') throw new Error('idle clients have limits on memory only');
      if (gateway === undefined) return { limit, value: null, verdict: 'skipped', onTarget: null };
      const value = highest(gateway) / 1e6;
      const verdict = value <= limit.atMost ? 'kept' : 'missed';
      return { limit, value, verdict, onTarget: value <= limit.target };
    }),
  };
}

/** What a limit on memory is about: the clients are there in both moments. */
export function highest({ residentBytes, againBytes }: IdleSample): number {
  return Math.max(residentBytes, againBytes);
}

/** Rounds that a limit needs disagree, so that it is worth asking once more. */
export function disagrees(report: TrafficReport): boolean {
  const needed = new Set<ProxyName>(report.limits.length === 0 ? [] : ['sluice']);
  for (const { limit } of report.limits) if (limit.measure === 'cpu') needed.add(limit.over);
  return report.proxies.some(({ name, inconclusive }) => needed.has(name) && inconclusive !== null);
}

export function hasFailed(report: Report): boolean {
  return report.works.some(
    (work) =>
      work.outcome === 'failed' ||
      (work.outcome === 'measured' && work.limits.some(({ verdict }) => verdict === 'missed')),
  );
}

function cpuOf(samples: Samples, name: ProxyName): readonly number[] | undefined {
  const all = samples.get(name);
  return all === undefined || all.length === 0 ? undefined : numbers(all, 'cpuMicros');
}

function summary(all: readonly Sample[], key: keyof Sample): Summary | null {
  const values = numbers(all, key);
  return values.length === 0 ? null : summarize(values);
}

function numbers(all: readonly Sample[], key: keyof Sample): readonly number[] {
  return all.flatMap((sample) => sample[key] ?? []);
}
