import type { Judged } from './limits.ts';
import type { Tally } from './soak-messages.ts';
import type { SoakFindings } from './soak-run.ts';
import type { Connections } from './sockets.ts';
import { median, type TrendTolerance, trendOf } from './trend.ts';

/** What the worker holds at one moment. */
export interface Rest extends Connections {
  readonly residentBytes: number;
  /** Open files of any kind. */
  readonly files: number;
  /** By its own count. */
  readonly active: number;
  readonly upgrades: number;
}

export interface SoakSample extends Rest {
  /** Since the beginning. */
  readonly tally: Tally;
}

/** Node's collector leaves that much more or less behind from one look to the next. */
export const RESIDENT_TOLERANCE: TrendTolerance = { part: 0.06, absolute: 6e6 };

export function judgeSoak({ before, samples, after, tally }: SoakFindings): readonly Judged[] {
  const trend = trendOf(
    samples.map((sample) => sample.residentBytes),
    RESIDENT_TOLERANCE,
  );
  return [
    judged('no upstream connection is left', `${after.upstream} are`, after.upstream === 0),
    judged('no client connection is left', `${after.clients} are`, after.clients === 0),
    judged(
      'open files are as many as before',
      `${after.files}, ${before.files} before`,
      after.files <= before.files,
    ),
    judged(
      'no exchange or tunnel is left',
      `${after.active} requests, ${after.upgrades} tunnels`,
      after.active === 0 && after.upgrades === 0,
    ),
    judged(
      'memory does not grow',
      `${megabytes(trend.middle)} MB in the second third, ${megabytes(trend.last)} MB in the last`,
      trend.isFlat,
    ),
    judged(
      'no safe request fails',
      `${tally.safeFailed} of ${tally.done + tally.safeFailed}${reasonsOf(tally)}`,
      tally.safeFailed === 0,
    ),
  ];
}

export const SOAK_HEADER = [
  '| minute | requests | given up | cut | safe failed | RSS MB | open files | upstream (most) | clients | CLOSE_WAIT (most) | tunnels |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
];

/** One line for the samples of one minute; `before`: the tally when it began. */
export function minuteLine(minute: number, samples: readonly SoakSample[], before: Tally): string {
  const last = samples.at(-1)?.tally ?? before;
  const middle = (of: (sample: SoakSample) => number): number => median(samples.map(of));
  const most = (of: (sample: SoakSample) => number): number => Math.max(0, ...samples.map(of));
  const cells = [
    minute,
    allOf(last) - allOf(before),
    last.aborted - before.aborted,
    last.cut - before.cut,
    last.safeFailed - before.safeFailed,
    megabytes(middle((sample) => sample.residentBytes)),
    Math.round(middle((sample) => sample.files)),
    most((sample) => sample.upstream),
    Math.round(middle((sample) => sample.clients)),
    most((sample) => sample.closeWait),
    Math.round(middle((sample) => sample.upgrades)),
  ];
  return `| ${cells.join(' | ')} |`;
}

export function soakSummary(findings: SoakFindings, judgedAll: readonly Judged[]): string {
  const { tally, restarts, before, after } = findings;
  return [
    '',
    `${allOf(tally)} requests, ${tally.aborted} given up by their clients, ${tally.cut} cut by ${restarts} deaths of an origin, ` +
      `${tally.otherFailed} uploads and upgrades failed.`,
    `At rest: ${before.files} open files and ${megabytes(before.residentBytes)} MB before, ` +
      `${after.files} and ${megabytes(after.residentBytes)} MB after.`,
    ...judgedAll.map(({ limit, found, verdict }) => `Limit ${verdict}: ${limit}; ${found}.`),
    '',
  ].join('\n');
}

function allOf({ done, aborted, cut, safeFailed, otherFailed }: Tally): number {
  return done + aborted + cut + safeFailed + otherFailed;
}

function reasonsOf({ reasons }: Tally): string {
  const lines = Object.entries(reasons).map(([why, count]) => `${count} × ${why}`);
  return lines.length === 0 ? '' : ` (${lines.join(', ')})`;
}

function judged(limit: string, found: string, met: boolean): Judged {
  return { limit, found, verdict: met ? 'met' : 'missed' };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
