import { type Line, type Span, span } from './cells.ts';
import { type Column, cellText, columnsFor, type RowContext } from './columns.ts';
import type { Look } from './look.ts';
import { type Data, isSelected, type PlatformRow, rowsOf, type Selection } from './model.ts';

const MARK_WIDTH = 2;

/** A title for each application and a row for each platform, at most `height` lines, the selected one among them. */
export function platformTable(
  data: Data,
  selected: Selection | undefined,
  look: Look,
  width: number,
  height: number,
): readonly Line[] {
  const rows = rowsOf(data.status);
  const columns = columnsFor(width - MARK_WIDTH, rows);
  const context: RowContext = {
    look,
    rates: data.rates,
    mostRps: Math.max(0, ...Object.values(data.rates.samples).flat()),
  };
  const lines: Line[] = [];
  let focus = 0;
  for (const application of data.status?.applications ?? []) {
    lines.push(applicationTitle(application.name, rows, look));
    for (const platform of application.platforms) {
      const row = { application, platform };
      const marked = isSelected(row, selected);
      if (marked) focus = lines.length;
      lines.push(rowLine(row, columns, context, marked));
    }
  }
  const head = headLine(columns, look);
  return [head, ...window(lines, focus, height - 1)];
}

/** Errors are weighed by traffic: a broken platform without requests hurts nobody. */
function applicationTitle(name: string, rows: readonly PlatformRow[], look: Look): Line {
  const own = rows.filter((row) => row.application.name === name);
  const application = own[0]?.application;
  const attempts = own.reduce((sum, { platform }) => sum + platform.rps, 0);
  const failed = own.reduce((sum, { platform }) => sum + platform.rps * platform.errorRate, 0);
  const errors = attempts === 0 ? 0 : (failed / attempts) * 100;
  const release = application?.release ? `r${application.release.number}` : 'not deployed';
  return [
    span(look.clean(name), 'strong'),
    span(`  ${release}  ${(application?.demandRps ?? 0).toFixed(0)} rps  `),
    span(`errors ${errors.toFixed(2)} %`, errors >= 5 ? 'bad' : errors > 0 ? 'warn' : 'plain'),
  ];
}

function headLine(columns: readonly Column[], look: Look): Line {
  const heads = columns.map((column) => cellText(column, column.head, look.cut));
  return [span(' '.repeat(MARK_WIDTH) + heads.join(' '), 'dim')];
}

function rowLine(row: PlatformRow, columns: readonly Column[], context: RowContext, marked: boolean): Line {
  const { look } = context;
  const spans: Span[] = [span(marked ? `${look.mark} ` : '  ', 'strong')];
  for (const column of columns) {
    const { text, tone } = column.cell(row, context);
    spans.push(span(cellText(column, text, look.cut), tone), span(' '));
  }
  return spans;
}

/** `height` lines around the one in focus. */
function window(lines: readonly Line[], focus: number, height: number): readonly Line[] {
  const room = Math.max(1, height);
  const start = Math.max(0, Math.min(focus - Math.floor(room / 2), lines.length - room));
  return lines.slice(start, start + room);
}
