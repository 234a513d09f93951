import type { LoggedEvent } from '../../src/core/events.ts';
import type { VerdictState } from '../../src/core/verdict.ts';
import { cleanText, type Tone } from './cells.ts';

/** The signs the dashboard is drawn with, and how an event reads. */
export interface Look {
  readonly icons: Readonly<Record<VerdictState, string>>;
  readonly full: string;
  readonly empty: string;
  /** From nothing to most. */
  readonly trend: string;
  readonly rule: string;
  readonly mark: string;
  readonly cut: string;
  readonly dot: string;
  readonly times: string;
  readonly arrows: string;
  clean(text: string): string;
  describe(event: LoggedEvent): string;
}

/** All signs are one cell wide in every terminal; `⚠` is not, so degraded is a plain `!`. */
export function createLook(unicode: boolean, describe: (event: LoggedEvent) => string): Look {
  const clean = (text: string): string => cleanText(text, unicode);
  const shared = { clean, describe: (event: LoggedEvent) => clean(describe(event)) };
  if (!unicode) {
    return {
      ...shared,
      icons: { up: '+', degraded: '!', down: 'x', starting: 'o', unknown: '?' },
      full: '#',
      empty: '.',
      trend: ' _.-=*#',
      rule: '-',
      mark: '>',
      cut: '~',
      dot: '-',
      times: 'x',
      arrows: 'up/down',
    };
  }
  return {
    ...shared,
    icons: { up: '✔', degraded: '!', down: '✖', starting: '◌', unknown: '?' },
    full: '█',
    empty: '░',
    trend: ' ▁▂▃▄▅▆▇█',
    rule: '─',
    mark: '▸',
    cut: '…',
    dot: '·',
    times: '×',
    arrows: '↑↓',
  };
}

export const VERDICT_TONES: Readonly<Record<VerdictState, Tone>> = {
  up: 'good',
  degraded: 'warn',
  down: 'bad',
  starting: 'busy',
  unknown: 'dim',
};

/** POSIX: the first of these that is set and not empty decides the character set. */
export function isUtf8Locale(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale);
}

/** no-color.org: any value but the empty one. */
export function wantsColor(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['NO_COLOR'] ?? '') === '';
}
