import { stripVTControlCharacters } from 'node:util';
import { SluiceError, toWire, type WireError } from '../core/errors.ts';

/** What, where, why, what to do, and the end of the log, for a person. */
export function formatError(error: WireError, indent = ''): string {
  const lines = [`${indent}✖ ${printable(error.message)} [${error.code}]`];
  function add(label: string, text: string | undefined): void {
    // What follows a line break stands under its own text, not at the margin.
    const hanging = `\n${indent}         `;
    if (text !== undefined) lines.push(`${indent}  ${label}${printable(text).replaceAll('\n', hanging)}`);
  }
  add('where  ', error.where);
  add('why    ', error.why);
  add('do     ', error.remedy);
  for (const line of error.logTail ?? []) add('log    ', line);
  return `${lines.join('\n')}\n`;
}

/** Other programs' texts must not steer the terminal they are shown on. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass.
  return stripVTControlCharacters(text.trimEnd()).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]+/g, ' ');
}

/** A caught thing as text; bugs bring their stack, because only we can do something about them. */
export function formatCaught(caught: unknown): { text: string; status: number } {
  const error = SluiceError.from(caught);
  const text = formatError(toWire(error));
  const stack = error.code === 'BUG' && error.cause instanceof Error ? `${error.cause.stack}\n` : '';
  return { text: text + stack, status: error.exitStatus };
}
