import { SluiceError, toWire, type WireError } from '../core/errors.ts';

/** What, where, why, what to do, and the end of the log, for a person. */
export function formatError(error: WireError, indent = ''): string {
  const lines = [`${indent}✖ ${error.message} [${error.code}]`];
  if (error.where !== undefined) lines.push(`${indent}  where  ${error.where}`);
  if (error.why !== undefined) lines.push(`${indent}  why    ${error.why}`);
  if (error.remedy !== undefined) lines.push(`${indent}  do     ${error.remedy}`);
  for (const line of error.logTail ?? []) lines.push(`${indent}  log    ${line}`);
  return `${lines.join('\n')}\n`;
}

/** A caught thing as text; bugs bring their stack, because only we can do something about them. */
export function formatCaught(caught: unknown): { text: string; status: number } {
  const error = SluiceError.from(caught);
  const text = formatError(toWire(error));
  const stack = error.code === 'BUG' && error.cause instanceof Error ? `${error.cause.stack}\n` : '';
  return { text: text + stack, status: error.exitStatus };
}
