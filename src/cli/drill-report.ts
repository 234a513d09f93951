import { stripVTControlCharacters } from 'node:util';
import type { DrillRecord, DrillStanding } from '../core/drill.ts';
import { formatDuration } from '../core/units.ts';
import { isoTime } from '../lib/iso-time.ts';
import { formatTable } from './text-table.ts';

/** What a drill has shown, for a person: each figure beside what was expected of it. */
export function formatDrill(drill: DrillRecord): string {
  const { name, application, platform, outcome, why, who, startedAt, forMs, evidence, expect } = drill;
  const { requests, failed, slowestMs } = evidence;
  const ratio = requests === 0 ? '' : ` (${percent(failed / requests)})`;
  const rows: string[][] = [
    ['began', `${isoTime(startedAt)}, for ${formatDuration(forMs)} (${who})`, ''],
    ['traffic left', seconds(evidence.shiftMs), `within ${seconds(expect.shiftWithinMs)}`],
    ['requests', `${requests}, ${failed} failed${ratio}`, `at most ${percent(expect.errors)} failed`],
    [
      'slowest p95',
      slowestMs === 0 ? '-' : `${Math.round(slowestMs)} ms`,
      expect.slowestMs === undefined ? '' : `at most ${Math.round(expect.slowestMs)} ms`,
    ],
    ['carried', carried(drill), ''],
    ['back at its share', evidence.returnMs === undefined ? '-' : `after ${seconds(evidence.returnMs)}`, ''],
  ];
  const title = `${application}: drill ${name} of ${platform} ${outcome ?? 'is under way'}\n`;
  const lines = why.map((line) => `  ${plain(line)}\n`).join('');
  return `${title}${lines}${formatTable(['', 'shown', 'expected'], rows)}`;
}

export function formatDrills(drills: readonly DrillRecord[]): string {
  const head = [
    'began',
    'application',
    'platform',
    'drill',
    'outcome',
    'left in',
    'requests',
    'failed',
    'why',
  ];
  return formatTable(
    head,
    drills.map(({ startedAt, application, platform, name, outcome, phase, evidence, why }) => [
      isoTime(startedAt),
      application,
      platform,
      name,
      outcome ?? phase,
      seconds(evidence.shiftMs),
      String(evidence.requests),
      String(evidence.failed),
      plain(why.join('; ')),
    ]),
  );
}

/** For a cell: how long ago the platform was proven, or that it is not, or not any more. */
export function formatStanding(standing: DrillStanding | undefined, now: number): string {
  if (standing === undefined) return '-';
  if (!standing.proven || standing.passedAt === undefined) return 'unproven';
  const minutes = Math.max(0, Math.floor((now - standing.passedAt) / 60_000));
  if (minutes < 120) return `${minutes}m ago`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h ago` : `${Math.floor(minutes / 1_440)}d ago`;
}

function carried({ evidence: { peakRps, capacityRps, carriers } }: DrillRecord): string {
  const names = Object.entries(carriers)
    .filter(([, share]) => share > 0)
    .map(([name]) => name);
  if (names.length === 0) return '-';
  const of = capacityRps === undefined ? ', capacity unknown' : ` of ${Math.round(capacityRps)} rps`;
  return `up to ${Math.round(peakRps)}${of === ', capacity unknown' ? ' rps' : ''}${of} by ${names.join(', ')}`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 10_000) / 100} %`;
}

/** Causes may hold a platform's own words. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\s+/g, ' ');
}
