import { median } from '../statistics.ts';
import type { DecidingReport } from './deciding.ts';
import type { ProbingReport } from './probing.ts';

export interface JudgementReport {
  readonly schema: 1;
  /** ISO 8601. */
  readonly at: string;
  readonly node: string;
  readonly deciding: DecidingReport;
  readonly probing: ProbingReport;
}

/** What must hold, and what was measured. */
export interface Held {
  readonly what: string;
  readonly measured: number;
  readonly atMost: number;
  readonly unit: string;
  readonly kept: boolean;
}

const DECIDE_MS = 50;
const PROBING_CORES = 1;
/** A prober that falls behind is cheap: it must ask nearly as often as it was told. Part of all that may be late. */
const NOT_ASKED = 0.1;

export function limitsOf({ deciding, probing }: JudgementReport): readonly Held[] {
  const asked = median(probing.samples.map(({ healthPerSecond }) => healthPerSecond)) / probing.targets;
  const failed = probing.samples.reduce((sum, sample) => sum + sample.failed, 0);
  return [
    atMost('deciding, the policy alone', median(deciding.decideMs), DECIDE_MS, 'ms'),
    atMost('decisions after one changed fact', deciding.decisionsByOneFact, 1, ''),
    atMost('probing and judging', median(probing.samples.map(({ cores }) => cores)), PROBING_CORES, 'cores'),
    atMost('targets not asked in a second', 1 - asked, NOT_ASKED, 'of all'),
    atMost('probes that failed', failed, 0, ''),
  ];
}

function atMost(what: string, measured: number, most: number, unit: string): Held {
  return { what, measured, atMost: most, unit, kept: measured <= most };
}

export function formatJudgement(report: JudgementReport): string {
  const { deciding, probing } = report;
  const [first] = probing.samples;
  const lines = [
    `${deciding.applications} applications × ${deciding.platforms} platforms, medians of ${deciding.rounds} rounds, CPU time:`,
    `  deciding, the policy alone           ${ms(deciding.decideMs)}`,
    `  a tick of all: verdicts, facts, attribution, deciding, comparing with the table  ${ms(deciding.evaluateMs)}`,
    `  a tick at which nothing was heard of anybody                              ${ms(deciding.calmMs)}`,
    `  one origin that fails: deciding and publishing the whole table            ${ms(deciding.oneFactMs)}`,
    `${probing.targets} targets once a second (${probing.applications} × ${probing.platforms}), the engine included, CPU cores by round:`,
    `  ${probing.samples.map(({ cores }) => cores.toFixed(2)).join('  ')}`,
    `  ${first?.healthPerSecond.toFixed(0)} health paths a second, up to four on a connection; ${first?.otherPerSecond.toFixed(0)} signals of ports and routers`,
    'limits:',
    ...limitsOf(report).map(limitLine),
  ];
  return `${lines.join('\n')}\n`;
}

function limitLine({ what, measured, atMost: most, unit, kept }: Held): string {
  const number = Number.isInteger(measured) ? String(measured) : measured.toFixed(2);
  return `  ${kept ? 'kept  ' : 'MISSED'} ${what}: ${number} ${unit}, at most ${most}`.replace(/ ,/, ',');
}

function ms(rounds: readonly number[]): string {
  return `${median(rounds).toFixed(1)} ms (${Math.min(...rounds).toFixed(1)} to ${Math.max(...rounds).toFixed(1)})`;
}
