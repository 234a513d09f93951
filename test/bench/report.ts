import type { ProxyName } from './contender.ts';
import { conclude, judge, type Verdict } from './limits.ts';
import type { Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { Samples } from './run.ts';
import { median, ratios, type Summary, summarize } from './statistics.ts';
import type { Limit, Work } from './works.ts';

/** What `--out` writes: every round of every number, so that others can do their own sums. */
export interface Report {
  readonly schema: 1;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: BenchOptions;
  readonly versions: Readonly<Record<string, string>>;
  /** Who did not take part, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly works: readonly WorkReport[];
}

export interface WorkReport {
  readonly name: string;
  readonly connections: number;
  readonly bodyBytes: number;
  readonly proxies: readonly ProxyReport[];
  readonly limits: readonly (Limit & {
    readonly ratio: number | null;
    readonly verdict: Verdict | 'skipped';
  })[];
}

export interface ProxyReport {
  readonly name: ProxyName;
  readonly cpuMicros: Summary;
  readonly allCpuMicros: Summary;
  readonly requestsPerSecond: Summary;
  readonly p50Micros: Summary;
  readonly p99Micros: Summary;
  readonly residentBytes: Summary;
  readonly foreign: Summary | null;
  /** CPU time beside each peer, median of the rounds' ratios. */
  readonly times: Readonly<Partial<Record<ProxyName, number>>>;
  /** Why its CPU time is not to be quoted; null: it may be. */
  readonly inconclusive: string | null;
}

/** The peers every proxy is compared with. */
const YARDSTICKS: readonly ProxyName[] = ['nginx', 'http-proxy'];

export function workReport(work: Work, samples: Samples): WorkReport {
  const cpuOf = (name: ProxyName): readonly number[] | undefined =>
    samples.get(name)?.map((one) => one.cpuMicros);
  const gateway = cpuOf('sluice');
  return {
    name: work.name,
    connections: work.connections,
    bodyBytes: work.bodyBytes,
    proxies: [...samples].map(([name, rounds]) => {
      const cpu = rounds.map((one) => one.cpuMicros);
      const conclusion = conclude(cpu);
      const foreign = rounds.flatMap((one) => (one.foreign === null ? [] : [one.foreign]));
      return {
        name,
        cpuMicros: summarize(cpu),
        allCpuMicros: summarize(rounds.map((one) => one.allCpuMicros)),
        requestsPerSecond: summarize(rounds.map((one) => one.requestsPerSecond)),
        p50Micros: summarize(rounds.map((one) => one.p50Micros)),
        p99Micros: summarize(rounds.map((one) => one.p99Micros)),
        residentBytes: summarize(rounds.map((one) => one.residentBytes)),
        foreign: foreign.length === 0 ? null : summarize(foreign),
        times: Object.fromEntries(
          YARDSTICKS.flatMap((peer) => {
            const other = cpuOf(peer);
            return other === undefined ? [] : [[peer, median(ratios(cpu, other))]];
          }),
        ),
        inconclusive: conclusion.conclusive ? null : conclusion.why,
      };
    }),
    limits: work.limits.map((limit) => {
      const peer = cpuOf(limit.over);
      if (gateway === undefined || peer === undefined) return { ...limit, ratio: null, verdict: 'skipped' };
      return { ...limit, ratio: median(ratios(gateway, peer)), verdict: judge(gateway, peer, limit.atMost) };
    }),
  };
}

export function missedLimits(report: Report): boolean {
  return report.works.some((work) => work.limits.some((limit) => limit.verdict === 'missed'));
}

/** The report as Markdown, the form in which it stands in docs/benchmarks.md. */
export function formatReport(report: Report): string {
  const { machine, options } = report;
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}; ${versions.join(', ')}.`,
    `Rounds: ${options.rounds}, ${options.seconds} s for each proxy, after ${options.warmUpSeconds} s of warm-up; ${machine.pinning}.`,
    ...Object.entries(report.skipped).map(([name, why]) => `Without ${name}: ${why}.`),
  ];
  for (const work of report.works)
    lines.push('', `**${work.name}**`, '', ...table(work), '', ...limitLines(work));
  return `${lines.join('\n')}\n`;
}

function table(work: WorkReport): readonly string[] {
  return [
    '| proxy | CPU µs/request | spread | × nginx | × http-proxy | requests/s | p50 ms | p99 ms | RSS MB | core used by others | |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...work.proxies.map((proxy) => {
      const cells = [
        proxy.name,
        proxy.cpuMicros.median.toFixed(1),
        percent(proxy.cpuMicros.spread),
        times(proxy.times['nginx']),
        times(proxy.times['http-proxy']),
        proxy.requestsPerSecond.median.toFixed(0),
        (proxy.p50Micros.median / 1000).toFixed(2),
        (proxy.p99Micros.median / 1000).toFixed(2),
        (proxy.residentBytes.median / 1e6).toFixed(0),
        proxy.foreign === null ? 'unknown' : percent(proxy.foreign.median),
        proxy.inconclusive === null ? '' : `inconclusive: ${proxy.inconclusive}`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

function limitLines(work: WorkReport): readonly string[] {
  return work.limits.map((limit) => {
    const found = limit.ratio === null ? 'not measured' : `measured ${limit.ratio.toFixed(2)} ×`;
    return `Limit: at most ${limit.atMost} × ${limit.over} — ${found}, ${limit.verdict}.`;
  });
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '–' : ratio.toFixed(2);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
