import { stripVTControlCharacters } from 'node:util';

/** What a piece of text means; the screen gives each tone its colour, or none. */
export type Tone =
  | 'plain'
  | 'good'
  | 'warn'
  | 'bad'
  | 'busy'
  | 'dim'
  | 'strong'
  | 'title'
  | 'banner'
  | 'alarm';

/** Text of one tone. Every UTF-16 unit of it takes exactly one cell: `cleanText` sees to that. */
export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const ASCII_FOR: Readonly<Record<string, string>> = {
  '→': '->',
  '—': '-',
  '–': '-',
  '·': '-',
  '…': '...',
  '↑': '^',
  '↓': 'v',
  '✂': 'x',
  '✖': 'x',
  '×': 'x',
};

const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/**
 * Text from elsewhere (a platform's error, an application's name) made fit for cells: no control sequences, and
 * nothing that is wider or narrower than it is long, or the columns behind it would be off.
 */
export function cleanText(text: string, unicode: boolean): string {
  let clean = '';
  for (const symbol of stripVTControlCharacters(text)) {
    const code = symbol.codePointAt(0) ?? 0;
    if (code < 0x20) clean += ' ';
    else if (code < 0x7f) clean += symbol;
    else if (code < 0xa0) continue;
    else if (!unicode) clean += ASCII_FOR[symbol] ?? '?';
    else if (ZERO_WIDTH.test(symbol)) continue;
    else clean += code > 0xffff || WIDE.test(symbol) ? '?' : symbol;
  }
  return clean;
}

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone };
}

/** Exactly `width` cells: filled with blanks, or cut with a mark that says so. */
export function fit(text: string, width: number, cut: string, align: 'left' | 'right' = 'left'): string {
  if (text.length <= width) return align === 'left' ? text.padEnd(width) : text.padStart(width);
  return width <= cut.length ? text.slice(0, width) : text.slice(0, width - cut.length) + cut;
}

/** At words where it can; lines after the first begin with `indent` blanks. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [];
  let rest = text.trimEnd();
  let lead = '';
  while (rest.length > width - lead.length) {
    const room = width - lead.length;
    const blank = rest.lastIndexOf(' ', room);
    const end = blank > room / 2 ? blank : room;
    lines.push(lead + rest.slice(0, end));
    rest = rest.slice(end).trimStart();
    lead = ' '.repeat(indent);
  }
  if (rest !== '' || lines.length === 0) lines.push(lead + rest);
  return lines;
}

/** Like `wrap`, but of more than `most` lines the last shown one ends with a mark. */
export function wrapAtMost(most: number, cut: string, text: string, width: number, indent = 0): string[] {
  const lines = wrap(text, width, indent);
  const last = lines[most - 1];
  if (lines.length <= most || last === undefined) return lines;
  return [...lines.slice(0, most - 1), last.slice(0, width - cut.length) + cut];
}

/** A line cut or filled to the width of the screen; what is filled takes the tone of the last span if `through`. */
export function fitLine(line: Line, width: number, through: Tone = 'plain'): Line {
  const fitted: Span[] = [];
  let left = width;
  for (const { text, tone } of line) {
    if (left === 0) break;
    const shown = text.slice(0, left);
    left -= shown.length;
    if (shown !== '') fitted.push({ text: shown, tone });
  }
  if (left > 0 && through !== 'plain') fitted.push({ text: ' '.repeat(left), tone: through });
  return fitted;
}

/** For tests and for terminals that show nothing but text. */
export function plainText(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
