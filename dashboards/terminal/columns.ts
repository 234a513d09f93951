import { stateWord, stoppedText } from '../../src/lib/stopped-status.ts';
import { fit, type Tone } from './cells.ts';
import { type Look, VERDICT_TONES } from './look.ts';
import { type PlatformRow, type RateHistory, rateKey } from './model.ts';
import { trendLine } from './rates.ts';

export interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

/** What a cell may need beside its row. */
export interface RowContext {
  readonly look: Look;
  readonly rates: RateHistory;
  /** Full height of the trend: the highest rate among all rows. */
  readonly mostRps: number;
}

export interface Column {
  readonly name: ColumnName;
  readonly head: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  cell(row: PlatformRow, context: RowContext): Cell;
}

export type ColumnName =
  | 'platform'
  | 'tier'
  | 'verdict'
  | 'share'
  | 'rps'
  | 'trend'
  | 'errors'
  | 'p95'
  | 'instances'
  | 'release'
  | 'api'
  | 'cause';

/** What goes first when the screen is narrow; the rest always stays. */
const DROPPED_FIRST: readonly ColumnName[] = ['trend', 'tier', 'p95', 'api', 'release', 'instances'];
const LEAST_CAUSE = 16;
const BAR = 6;
const TREND = 12;

/** All columns that fit into `width`, one blank between them; the cause takes what is left. */
export function columnsFor(width: number, rows: readonly PlatformRow[]): readonly Column[] {
  const longest = Math.max(8, ...rows.map(({ platform }) => platform.name.length));
  let columns = allColumns(Math.min(longest, 16));
  for (const dropped of DROPPED_FIRST) {
    if (widthOf(columns) + LEAST_CAUSE <= width) break;
    columns = columns.filter(({ name }) => name !== dropped);
  }
  const knowsApi = columns.some(({ name }) => name === 'api');
  return [...columns, causeColumn(Math.max(0, width - widthOf(columns)), knowsApi)];
}

/** With the blank behind each. */
function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + column.width + 1, 0);
}

function allColumns(nameWidth: number): readonly Column[] {
  return [
    { name: 'platform', head: 'platform', width: nameWidth, align: 'left', cell: nameCell },
    {
      name: 'tier',
      head: 'tier',
      width: 4,
      align: 'right',
      cell: ({ platform }) => plain(String(platform.tier)),
    },
    { name: 'verdict', head: 'verdict', width: 10, align: 'left', cell: verdictCell },
    { name: 'share', head: 'share', width: BAR + 6, align: 'left', cell: shareCell },
    {
      name: 'rps',
      head: 'rps',
      width: 5,
      align: 'right',
      cell: ({ platform }) => plain(platform.rps.toFixed(0)),
    },
    { name: 'trend', head: 'last 24 s', width: TREND, align: 'left', cell: trendCell },
    { name: 'errors', head: 'err %', width: 5, align: 'right', cell: errorsCell },
    {
      name: 'p95',
      head: 'p95 ms',
      width: 6,
      align: 'right',
      cell: ({ platform }) => (platform.p95Ms === 0 ? none() : plain(platform.p95Ms.toFixed(0))),
    },
    { name: 'instances', head: 'inst', width: 5, align: 'right', cell: instancesCell },
    { name: 'release', head: 'rel', width: 5, align: 'left', cell: releaseCell },
    { name: 'api', head: 'api', width: 4, align: 'left', cell: apiCell },
  ];
}

function plain(text: string): Cell {
  return { text, tone: 'plain' };
}

function none(): Cell {
  return { text: '-', tone: 'dim' };
}

function nameCell({ platform }: PlatformRow, { look }: RowContext): Cell {
  return { text: look.clean(platform.name), tone: 'strong' };
}

function verdictCell({ platform }: PlatformRow, { look }: RowContext): Cell {
  if (platform.stopped !== undefined)
    return { text: `${look.icons.unknown} ${stateWord(platform)}`, tone: 'dim' };
  const { state } = platform.verdict;
  return { text: `${look.icons[state]} ${state}`, tone: VERDICT_TONES[state] };
}

function shareCell({ platform }: PlatformRow, { look }: RowContext): Cell {
  if (platform.state !== 'active') return { text: platform.state, tone: 'dim' };
  // A platform with any share shows at least one full sign, so a first ramp step is seen.
  const filled = platform.share <= 0 ? 0 : Math.max(1, Math.min(BAR, Math.round(platform.share * BAR)));
  const bar = look.full.repeat(filled) + look.empty.repeat(BAR - filled);
  return plain(`${bar} ${`${Math.round(platform.share * 100)}`.padStart(3)} %`);
}

function trendCell({ application, platform }: PlatformRow, { look, rates, mostRps }: RowContext): Cell {
  const samples = rates.samples[rateKey(application.name, platform.name)] ?? [];
  return { text: trendLine(samples, mostRps, TREND, look.trend), tone: 'busy' };
}

function errorsCell({ platform }: PlatformRow): Cell {
  if (platform.rps === 0) return none();
  const percent = platform.errorRate * 100;
  const tone = percent >= 5 ? 'bad' : percent > 0 ? 'warn' : 'plain';
  // A few errors in many requests are not none.
  return { text: percent > 0 && percent < 0.05 ? '<0.1' : percent.toFixed(1), tone };
}

function instancesCell({ platform: { instances } }: PlatformRow): Cell {
  if (!instances) return none();
  const { running, desired } = instances;
  const tone = running >= desired ? 'plain' : running === 0 ? 'bad' : 'warn';
  return { text: `${running}/${desired}`, tone };
}

function releaseCell({ platform: { release }, application }: PlatformRow): Cell {
  if (!release) return none();
  const text = release.number === undefined ? release.id : `r${release.number}`;
  return { text, tone: release.id === application.release?.id ? 'plain' : 'warn' };
}

function apiCell({ platform: { api } }: PlatformRow): Cell {
  if (!api) return none();
  return api.reachable ? { text: 'ok', tone: 'plain' } : { text: 'down', tone: 'bad' };
}

function causeColumn(width: number, knowsApi: boolean): Column {
  return {
    name: 'cause',
    head: 'why',
    width,
    align: 'left',
    cell({ platform }, { look }) {
      // Without its column a silent API must still be seen.
      const api = !knowsApi && platform.api?.reachable === false ? 'API down; ' : '';
      const { state, cause } = platform.verdict;
      if (platform.stopped !== undefined)
        return { text: api + look.clean(stoppedText(platform.stopped)), tone: api === '' ? 'dim' : 'bad' };
      const tone = state === 'up' ? 'dim' : VERDICT_TONES[state];
      return { text: api + look.clean(cause), tone: api === '' ? tone : 'bad' };
    },
  };
}

export function cellText(column: Column, text: string, cut: string): string {
  return fit(text, column.width, cut, column.align);
}
