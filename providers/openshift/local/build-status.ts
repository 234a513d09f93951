import type { Build } from './openshift-types.ts';
import type { Condition } from './types.ts';

const TERMINAL = new Set(['Complete', 'Failed', 'Error', 'Cancelled']);

export function isFinished(build: Build): boolean {
  return TERMINAL.has(build.status.phase);
}

/** Moves a draft to a phase: one condition a phase, the last one True. */
export function enterPhase(
  draft: Build,
  phase: string,
  now: string,
  because?: { reason: string; message: string },
): void {
  const { status } = draft;
  if (status.phase === phase && phase !== 'New') return;
  status.phase = phase;
  delete status.reason;
  delete status.message;
  if (because) Object.assign(status, because);
  const earlier: Condition[] = (status.conditions ?? []).map((condition) =>
    condition.status === 'True'
      ? { ...condition, status: 'False', lastUpdateTime: now, lastTransitionTime: now }
      : condition,
  );
  status.conditions = [
    ...earlier.filter((condition) => condition.type !== phase),
    { type: phase, status: 'True', lastUpdateTime: now, lastTransitionTime: now, ...because },
  ];
  if (phase === 'Running') status.startTimestamp = now;
  if (!TERMINAL.has(phase)) return;
  status.startTimestamp ??= now;
  status.completionTimestamp = now;
}

export function buildNumber(build: Build): number {
  return Number(build.metadata.annotations?.['openshift.io/build.number'] ?? 0);
}
