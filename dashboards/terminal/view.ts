import { fit, fitLine, type Line, type Size, span } from './cells.ts';
import { KEYS } from './keys.ts';
import type { Look } from './look.ts';
import type { Data, Model } from './model.ts';
import { pageLines } from './pages.ts';
import {
  applicationNotes,
  deploymentLine,
  detailLines,
  eventLines,
  noteLines,
  ruleLine,
  timeOfDay,
} from './panels.ts';
import { platformTable } from './platform-table.ts';

export const LEAST_SIZE: Size = { columns: 80, rows: 24 };

const NOTE_LINES = 4;
/** Below the table: the rule of the events and at least so many of their lines. */
const LEAST_EVENTS = 5;

/** Exactly `size.rows` lines, none wider than the screen. */
export function view(model: Model, size: Size, look: Look): readonly Line[] {
  if (size.columns < LEAST_SIZE.columns || size.rows < LEAST_SIZE.rows) return tooSmall(size, look);
  const data = model.frozen?.data ?? model.data;
  const top = [titleLine(model, data, look, size.columns), ...notices(model, data, look, size.columns)];
  const footer = footerLine(model);
  const height = size.rows - top.length - 1;
  const body =
    model.page.kind === 'none'
      ? overview(model, data, look, size.columns, height)
      : pageLines(model.page, look, size.columns, height);
  const filled = Array.from({ length: height }, (_, row): Line => body[row] ?? []);
  return [...top, ...filled, footer].map((line) => fitLine(line, size.columns, throughOf(line)));
}

/** These run through to the edge of the screen. */
function throughOf(line: Line): 'plain' | 'title' | 'banner' | 'alarm' {
  const tone = line[0]?.tone;
  return tone === 'title' || tone === 'banner' || tone === 'alarm' ? tone : 'plain';
}

function titleLine(model: Model, data: Data, look: Look, width: number): Line {
  const { status } = data;
  const facts = status
    ? `table ${status.tableVersion}  workers ${status.workers.ready}/${status.workers.wanted}  `
    : '';
  const right = `${model.frozen ? 'PAUSED  ' : ''}${timeOfDay(model.now)} `;
  const room = Math.max(0, width - right.length - 1);
  const short = look.clean(` ${model.title}  ${facts}`);
  const full = short + look.clean(model.where);
  // Half an address misleads.
  const left = full.length <= room ? full : short;
  return [span(`${left.slice(0, room).padEnd(room)} ${right}`, 'title')];
}

function notices(model: Model, data: Data, look: Look, width: number): readonly Line[] {
  const lines: Line[] = [];
  if (model.banner !== undefined) lines.push([span(` ${look.clean(model.banner)}`, 'banner')]);
  const { link } = model;
  if (link.state === 'lost') {
    // Of a long reason the end goes; how old the picture is must be seen.
    const age =
      data.receivedAt === undefined ? 'nothing yet' : `this is ${seconds(model.now - data.receivedAt)} old`;
    const text = look.clean(` ${age}, trying again: ${link.why}`);
    lines.push([span(fit(text, width, look.cut), 'alarm')]);
  }
  return lines;
}

function overview(model: Model, data: Data, look: Look, width: number, height: number): readonly Line[] {
  if (!data.status) {
    return model.link.state === 'connecting' ? [[], [span(` asking ${look.clean(model.where)}`, 'dim')]] : [];
  }
  const deployment = deploymentLine(data, look);
  const notes = noteLines(model.notes, look, width, NOTE_LINES);
  const between: Line[] = [
    [],
    ...detailLines(data, model, look, width),
    ...applicationNotes(data, look, width),
  ];
  if (deployment) between.push(deployment);
  if (notes.length > 0) between.push(ruleLine('demo', look, width), ...notes);
  between.push(ruleLine('decisions and verdicts', look, width));
  const table = platformTable(
    data,
    model.selected,
    look,
    width,
    Math.max(4, height - between.length - LEAST_EVENTS),
  );
  const room = Math.max(0, height - table.length - between.length);
  return [...table, ...between, ...eventLines(data, look, width, room)];
}

function footerLine(model: Model): Line {
  const spans = KEYS.flatMap((binding) =>
    binding.short === undefined
      ? []
      : [
          span(` ${binding.shown}`, 'strong'),
          span(` ${binding.action === 'pause' && model.frozen ? 'go on' : binding.short} `),
        ],
  );
  return model.page.kind === 'none' ? spans : [...spans, span(' Esc', 'strong'), span(' close')];
}

function tooSmall(size: Size, look: Look): readonly Line[] {
  const text = [
    `needs ${LEAST_SIZE.columns}${look.times}${LEAST_SIZE.rows}, has ${size.columns}${look.times}${size.rows}`,
    'make the window larger; q quits',
  ];
  return Array.from({ length: size.rows }, (_, row) => fitLine([span(text[row] ?? '')], size.columns));
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
