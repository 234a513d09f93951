import type { LimitReport, ProxyReport, Report, TrafficReport, WorkReport } from './report.ts';
import { highest, type IdleReport } from './report.ts';
import type { Summary } from './statistics.ts';

/** The whole report as Markdown, the form in which it stands in docs/benchmarks.md. */
export function formatReport(report: Report): string {
  const lines = [...aboutRun(report)];
  for (const work of report.works)
    lines.push('', `**${work.name}** (\`${work.key}\`)`, '', ...formatWork(work));
  return `${lines.join('\n')}\n`;
}

/** Machine, versions and method, a few lines. */
export function aboutRun(report: Report): readonly string[] {
  const { machine, accounting } = report;
  const versions = Object.entries(report.versions).map(([name, version]) =>
    version.includes(' ') ? `${name} (${version})` : `${name} ${version}`,
  );
  const memory = `${(machine.memoryBytes / 2 ** 30).toFixed(0)} GB`;
  return [
    `${report.at.slice(0, 10)}; ${machine.cpu}, ${machine.cores} cores, ${memory}, ${machine.system}; ${versions.join(', ')}.`,
    `${report.rounds} rounds of ${report.seconds} s for each proxy after ${report.warmUpSeconds} s of warm-up; ${machine.pinning}.`,
    `CPU times by ${accounting.source === 'scheduler' ? "the scheduler's nanoseconds" : 'clock ticks'}; ${percent(accounting.explained)} of a busy second is accounted for.`,
    ...Object.entries(report.skipped).map(([name, why]) => `Without ${name}: ${why}.`),
  ];
}

export function formatWork(work: WorkReport): readonly string[] {
  if (work.outcome !== 'measured') return [`${work.outcome}: ${work.why}`];
  const repeated =
    'firstTry' in work && work.firstTry !== undefined
      ? ['Repeated once, because the first rounds disagreed.']
      : [];
  const without = Object.entries(work.without).map(([name, why]) => `Without ${name}: ${why}.`);
  const after = [...repeated, ...without, ...work.limits.map(limitLine)];
  const table = 'load' in work ? trafficTable(work) : idleTable(work);
  // Two spaces at the end of a line keep Markdown from joining it with the next.
  return after.length === 0 ? table : [...table, '', ...after.join('  \n').split('\n')];
}

function trafficTable(work: TrafficReport): readonly string[] {
  return work.traffic.kind === 'paced' ? pacedTable(work) : closedTable(work);
}

function closedTable(work: TrafficReport): readonly string[] {
  return markdown(
    [
      ...['proxy', 'CPU µs/request', 'spread', '× nginx', '× http-proxy', 'all processes'],
      ...['requests/s', 'p50 ms', 'p99 ms', 'RSS MB', 'core used by others', ''],
    ],
    work.proxies.map((proxy) => [
      proxy.name,
      mid(proxy.cpuMicros, 1),
      proxy.cpuMicros === null ? '–' : percent(proxy.cpuMicros.spread),
      times(proxy.times['nginx']),
      times(proxy.times['http-proxy']),
      mid(proxy.allCpuMicros, 1),
      mid(proxy.requestsPerSecond, 0),
      mid(proxy.p50Micros, 2, 1000),
      mid(proxy.p99Micros, 2, 1000),
      mid(proxy.residentBytes, 0, 1e6),
      elsewhere(proxy),
      doubt(proxy),
    ]),
  );
}

/** With the lowest of the rounds too: what a noisy neighbour adds, it adds to some of them. */
function pacedTable(work: TrafficReport): readonly string[] {
  return markdown(
    [
      ...['proxy', 'p50 µs', 'p50 lowest', 'p99 µs', 'p99 lowest', 'load late by, p99 µs'],
      ...['requests/s', 'CPU µs/request', 'core used by others', ''],
    ],
    work.proxies.map((proxy) => [
      proxy.name,
      mid(proxy.p50Micros, 0),
      Math.min(...proxy.p50Micros.rounds).toFixed(0),
      mid(proxy.p99Micros, 0),
      Math.min(...proxy.p99Micros.rounds).toFixed(0),
      mid(proxy.lateP99Micros, 0),
      mid(proxy.requestsPerSecond, 0),
      mid(proxy.cpuMicros, 1),
      elsewhere(proxy),
      doubt(proxy),
    ]),
  );
}

function idleTable(work: IdleReport): readonly string[] {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return markdown(
    [
      'proxy',
      'RSS MB before',
      'with the clients',
      'after each asked again',
      'KB a client',
      'core used while silent',
    ],
    work.proxies.map((proxy) => [
      proxy.name,
      megabytes(proxy.beforeBytes),
      megabytes(proxy.residentBytes),
      megabytes(proxy.againBytes),
      ((highest(proxy) - proxy.beforeBytes) / work.traffic.connections / 1000).toFixed(1),
      percent(proxy.idleCpu),
    ]),
  );
}

export function limitLine({ limit, value, verdict, onTarget }: LimitReport): string {
  const unit = limit.measure === 'cpu' ? `× ${limit.over}` : 'MB';
  const digits = limit.measure === 'cpu' ? 2 : 0;
  const target = limit.target === undefined ? '' : `, target ${limit.target}`;
  const found = value === null ? 'not measured' : `measured ${value.toFixed(digits)}`;
  const reached = onTarget === null ? '' : onTarget ? ', target reached' : ', target not reached';
  return `Limit: at most ${limit.atMost} ${unit}${target} — ${found}, ${verdict}${reached}.`;
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

export function mid(summary: Summary | null | undefined, digits: number, unit = 1): string {
  return summary === null || summary === undefined ? '–' : (summary.median / unit).toFixed(digits);
}

export function times(ratio: number | undefined): string {
  return ratio === undefined ? '–' : ratio.toFixed(2);
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}

/** How much of the proxy's core others had; where there is no proxy, all of it is theirs. */
function elsewhere({ cpuMicros, foreign }: ProxyReport): string {
  if (cpuMicros === null) return '–';
  return foreign === null ? 'unknown' : percent(foreign.median);
}

function doubt({ inconclusive }: ProxyReport): string {
  return inconclusive === null ? '' : `inconclusive: ${inconclusive}`;
}
