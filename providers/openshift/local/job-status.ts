import type { Job } from './batch-types.ts';
import { type JsonObject, objectAt } from './json.ts';
import type { Pod } from './pod-types.ts';
import type { Condition, KubeObject } from './types.ts';

/** A new job gets an identity its pods are found by. */
export function labelPods(draft: KubeObject, uid: string): void {
  draft.metadata.uid = uid;
  const spec = objectAt(draft, 'spec');
  if (spec['manualSelector'] === true) return;
  const { name } = draft.metadata;
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const template = objectAt(spec, 'template');
  const metadata: JsonObject = { ...objectAt(template, 'metadata') };
  metadata['labels'] = { ...objectAt(metadata, 'labels'), ...labels };
  spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
  spec['template'] = { ...template, metadata };
  draft['spec'] = spec;
}

export function isFinished(job: Job): boolean {
  return (job.status.conditions ?? []).some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}

export type JobStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'start'; readonly pods: number }
  | { readonly kind: 'complete' }
  | { readonly kind: 'fail'; readonly reason: string; readonly message: string };

/** What one look at a job and its pods leads to. `now` is epoch milliseconds. */
export function stepJob(job: Job, pods: readonly Pod[], now: number): JobStep {
  const { completions = 1, parallelism = 1, backoffLimit = 6, activeDeadlineSeconds } = job.spec;
  const { active, succeeded, failed } = countPods(pods);
  if (job.spec.suspend) return { kind: 'suspend' };
  if (succeeded >= completions) return { kind: 'complete' };
  if (failed > backoffLimit) {
    return {
      kind: 'fail',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    };
  }
  const started = Date.parse(job.status.startTime ?? '');
  if (activeDeadlineSeconds !== undefined && now - started >= activeDeadlineSeconds * 1_000) {
    return {
      kind: 'fail',
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    };
  }
  const wanted = Math.min(parallelism, completions - succeeded) - active;
  return wanted > 0 ? { kind: 'start', pods: wanted } : { kind: 'wait' };
}

/** A pod whose container starts again and again fails as often as it was restarted. */
export function countPods(pods: readonly Pod[]): {
  readonly active: number;
  readonly ready: number;
  readonly succeeded: number;
  readonly failed: number;
} {
  let [active, ready, succeeded, failed] = [0, 0, 0, 0];
  for (const { metadata, status } of pods) {
    if (status.phase === 'Succeeded') succeeded += 1;
    else if (status.phase === 'Failed') failed += 1;
    else if (metadata.deletionTimestamp === undefined) {
      active += 1;
      const restarts = status.containerStatuses?.map(({ restartCount }) => restartCount) ?? [];
      failed += restarts.reduce((sum, count) => sum + count, 0);
      if (status.conditions?.some(({ type, status: held }) => type === 'Ready' && held === 'True'))
        ready += 1;
    }
  }
  return { active, ready, succeeded, failed };
}

/** The conditions of a job that ended: what decided it, then that it is over. */
export function endConditions(step: JobStep, now: string): Condition[] {
  function condition(type: string, reason: string, message: string): Condition {
    return { type, status: 'True', lastProbeTime: null, lastTransitionTime: now, reason, message };
  }
  if (step.kind === 'complete') {
    const message = 'Reached expected number of succeeded pods';
    return [
      condition('SuccessCriteriaMet', 'CompletionsReached', message),
      condition('Complete', 'CompletionsReached', message),
    ];
  }
  if (step.kind !== 'fail') return [];
  return [
    condition('FailureTarget', step.reason, step.message),
    condition('Failed', step.reason, step.message),
  ];
}
