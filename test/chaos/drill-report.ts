import type { FaultReport, Pass } from './drill-run.ts';
import type { Judged, Verdict } from './limits.ts';
import { errorsIn } from './observe.ts';

export interface DrillReport {
  readonly schema: 1;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: string;
  readonly seconds: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Who did not take part, and why. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly passes: readonly Pass[];
}

/** Only Sluice has limits; the others are there to be compared with. */
export function missedLimits({ passes }: DrillReport): boolean {
  return limitsOf(passes, 'missed').length > 0;
}

/** As Markdown, so that it can stand in a document as it is. */
export function formatDrill(report: DrillReport): string {
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `${report.machine}; ${versions.join(', ')}. Each fault lasts ${report.seconds} s. Open loop: times count from when a request was due.`,
    ...Object.entries(report.skipped).map(([name, why]) => `Without ${name}: ${why}.`),
  ];
  for (const rate of new Set(report.passes.map((pass) => pass.rate))) {
    const passes = report.passes.filter((pass) => pass.rate === rate);
    lines.push('', `**${rate} requests per second**, 10 % of them POST`, '', ...table(passes));
  }
  const missed = limitsOf(report.passes, 'missed');
  const inconclusive = limitsOf(report.passes, 'inconclusive');
  lines.push('', ...missed, ...inconclusive);
  if (missed.length === 0 && report.passes.some(({ proxy }) => proxy === 'sluice'))
    lines.push(`Sluice held every limit${inconclusive.length > 0 ? ' that could be judged' : ''}.`);
  return `${lines.join('\n')}\n`;
}

function table(passes: readonly Pass[]): readonly string[] {
  const names = passes[0]?.faults.map(({ fault }) => fault) ?? [];
  const others = passes.flatMap(({ faults }) => faults.map(({ fault }) => fault));
  const rows = [...new Set([...names, ...others])].flatMap((name) =>
    passes.flatMap(({ proxy, faults }) =>
      faults.filter(({ fault }) => fault === name).map((one) => row(proxy, one)),
    ),
  );
  return [
    '| primary | proxy | safe | failed | cut | p50 ms | p99 ms | slowest ms | detected ms | back s | moves | POST failed (executed) | twice | load late ms | CPU of others |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    ...passes.map(
      ({ proxy, ledger }) =>
        `${proxy}: ${ledger.sent} POST, ${ledger.failed} failed (${ledger.failedButExecuted} of them executed), ` +
        `${ledger.twice.length} executed twice, ${ledger.lost.length} answered and not executed.`,
    ),
  ];
}

function row(proxy: string, { fault, observed, ledger, disturbance }: FaultReport): string {
  const { safe, detectedMs, backMs } = observed;
  const total = Object.values(safe).reduce((sum, count) => sum + count, 0);
  const isFault = fault !== 'none';
  const cells = [
    fault,
    proxy,
    String(total),
    failures(safe),
    String(safe.cut),
    observed.p50Ms.toFixed(0),
    observed.p99Ms.toFixed(0),
    observed.slowestMs.toFixed(0),
    detectedMs === undefined || !isFault ? '–' : detectedMs.toFixed(0),
    isFault ? (backMs === undefined ? 'never' : (backMs / 1000).toFixed(1)) : '–',
    String(observed.moves),
    `${ledger.failed} (${ledger.failedButExecuted})`,
    String(ledger.twice.length),
    disturbance.lateMs.toFixed(0),
    `${(disturbance.foreign * 100).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function failures(safe: FaultReport['observed']['safe']): string {
  const errors = errorsIn(safe);
  if (errors === 0) return '0';
  const kinds = (['status', 'failed', 'timeout', 'forged'] as const)
    .filter((kind) => safe[kind] > 0)
    .map((kind) => `${safe[kind]} ${kind}`);
  return `${errors}: ${kinds.join(', ')}`;
}

/** Only Sluice's: what is wrong, and what it says it did meanwhile. */
function limitsOf(passes: readonly Pass[], verdict: Verdict): readonly string[] {
  return passes
    .filter(({ proxy }) => proxy === 'sluice')
    .flatMap(({ rate, faults, ledgerLimits }) => [
      ...faults.flatMap(({ fault, limits, journal }) => {
        const lines = linesOf(limits, verdict, `${rate} requests/s, ${fault}`);
        return lines.length === 0 ? [] : [...lines, ...journal.map((line) => `    ${line}`)];
      }),
      ...linesOf(ledgerLimits, verdict, `${rate} requests/s`),
    ]);
}

function linesOf(limits: readonly Judged[], verdict: Verdict, where: string): readonly string[] {
  return limits
    .filter((limit) => limit.verdict === verdict)
    .map(({ limit, found }) => `Limit ${verdict}, ${where}: ${limit}; ${found}.`);
}
