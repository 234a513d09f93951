import { isObject, listAt, textAt } from './json.ts';
import type { Build } from './openshift-types.ts';
import type { Condition, KubeObject } from './types.ts';

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

/** A phase that was written into the status of a build gets its condition, as if a controller had entered it. */
export function notePhase(draft: KubeObject, before: KubeObject, now: string): void {
  const phase = textAt(draft, 'status', 'phase');
  const status = draft['status'];
  if (phase === undefined || !isObject(status) || phase === textAt(before, 'status', 'phase')) return;
  const reason = textAt(status, 'reason');
  const message = textAt(status, 'message');
  const closed = listAt(before, 'status', 'conditions')
    .filter(isObject)
    .filter((condition) => condition['type'] !== phase)
    .map((condition) => ({
      ...condition,
      ...(condition['status'] === 'True'
        ? { status: 'False', lastUpdateTime: now, lastTransitionTime: now }
        : {}),
    }));
  const opened = { type: phase, status: 'True', lastUpdateTime: now, lastTransitionTime: now };
  status['conditions'] = [
    ...closed,
    {
      ...opened,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    },
  ];
}
