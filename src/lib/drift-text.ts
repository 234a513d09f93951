import type { DriftField } from '../core/drift.ts';

const MOST = 4;

/** `instances is 5 instead of 2, env.LOG_LEVEL was changed, Service shop is not ours`. */
export function driftText(drift: {
  readonly fields: readonly DriftField[];
  readonly foreign?: readonly string[];
}): string {
  const fields = drift.fields.map(fieldText);
  const foreign = (drift.foreign ?? []).map((thing) => `${thing} is not ours`);
  const all = [...fields, ...foreign];
  const shown = all.slice(0, MOST).join(', ');
  return all.length > MOST ? `${shown} and ${all.length - MOST} more` : shown;
}

function fieldText({ field, from, to }: DriftField): string {
  if (from === undefined) return `${field} is gone`;
  if (to === undefined) return `${field} was added`;
  return from === to ? `${field} was changed` : `${field} is ${from} instead of ${to}`;
}
