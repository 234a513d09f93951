import { createHash } from 'node:crypto';
import { canonical, clone, equal } from './json.ts';
import type { Deployment, PodTemplate, ReplicaSet } from './pod-types.ts';

/** The deciding part of the deployment controller: what one look at a deployment and its replica sets leads to. */
export interface RolloutStep {
  /** The replica set of the current template, to be created; it was not there. */
  readonly create?: { readonly name: string; readonly hash: string; readonly replicas: number };
  /** Replica sets to resize: at most one kind of move a step, so that each is seen before the next. */
  readonly resize: readonly { readonly name: string; readonly replicas: number }[];
  /** Old replica sets beyond the history limit. */
  readonly prune: readonly string[];
}

export const REVISION = 'deployment.kubernetes.io/revision';
export const TEMPLATE_HASH = 'pod-template-hash';

export function stepRollout(deployment: Deployment, replicaSets: readonly ReplicaSet[]): RolloutStep {
  const { spec } = deployment;
  const current = findCurrent(deployment, replicaSets);
  const old = replicaSets.filter((set) => set !== current);
  const prune = beyondHistory(deployment, current, old);
  if (spec.paused) {
    // A paused rollout still follows the number of replicas, in what runs.
    const active = replicaSets.filter((set) => set.spec.replicas > 0);
    const [only] = active;
    const resize =
      active.length === 1 && only && only.spec.replicas !== spec.replicas
        ? [resizeTo(only, spec.replicas)]
        : [];
    return { resize, prune };
  }
  if (spec.strategy.type === 'Recreate') {
    const resize = old.filter((set) => set.spec.replicas > 0).map((set) => resizeTo(set, 0));
    if (resize.length > 0 || old.some((set) => set.status.replicas > 0)) return { resize, prune };
    if (!current) return { create: creation(deployment, spec.replicas), resize, prune };
    return {
      resize: current.spec.replicas === spec.replicas ? [] : [resizeTo(current, spec.replicas)],
      prune,
    };
  }
  const { surge, unavailable } = limits(deployment);
  const total = sum(replicaSets, (set) => set.spec.replicas);
  const room = Math.max(0, spec.replicas + surge - total);
  if (!current) return { create: creation(deployment, Math.min(room, spec.replicas)), resize: [], prune };
  if (current.spec.replicas > spec.replicas) return { resize: [resizeTo(current, spec.replicas)], prune };
  const missing = spec.replicas - current.spec.replicas;
  if (missing > 0 && room > 0) {
    return { resize: [resizeTo(current, current.spec.replicas + Math.min(room, missing))], prune };
  }
  return { resize: shrinkOld(deployment, current, old, spec.replicas - unavailable), prune };
}

/** Old pods go as far as the wanted availability holds: first those that do not serve, then those that do. */
function shrinkOld(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  minAvailable: number,
): { name: string; replicas: number }[] {
  const sets = old.filter((set) => set.spec.replicas > 0).sort(byAge);
  if (sets.length === 0) return [];
  const all = sum([current, ...sets], (set) => set.spec.replicas);
  const currentMissing = current.spec.replicas - available(current);
  let budget = all - minAvailable - currentMissing;
  if (budget <= 0) return [];
  const size = new Map(sets.map((set) => [set, set.spec.replicas]));
  for (const set of sets) {
    const useless = Math.min(budget, set.spec.replicas - available(set));
    if (useless <= 0) continue;
    size.set(set, set.spec.replicas - useless);
    budget -= useless;
  }
  let spare = sum([current, ...sets], available) - minAvailable;
  for (const set of sets) {
    const now = size.get(set) ?? 0;
    const fewer = Math.min(spare, now);
    if (fewer <= 0) continue;
    size.set(set, now - fewer);
    spare -= fewer;
  }
  return sets
    .filter((set) => size.get(set) !== set.spec.replicas)
    .map((set) => resizeTo(set, size.get(set) ?? deployment.spec.replicas));
}

/** `25%` of 3 surges by 1 and leaves out 0: surge rounds up, unavailable down, and one of them must allow a move. */
export function limits(deployment: Deployment): { surge: number; unavailable: number } {
  const { replicas, strategy } = deployment.spec;
  const surge = share(strategy.rollingUpdate?.maxSurge ?? '25%', replicas, Math.ceil);
  const unavailable = share(strategy.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
  if (surge === 0 && unavailable === 0) return { surge, unavailable: 1 };
  return { surge, unavailable: Math.min(unavailable, replicas) };
}

function share(value: number | string, of: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  return percent === undefined ? Number(value) || 0 : round((Number(percent) / 100) * of);
}

export function findCurrent(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const wanted = deployment.spec.template;
  // The oldest match, should two ever have the same template.
  return [...replicaSets]
    .sort(byAge)
    .find((set) => equal(withoutHash(set.spec.template), withoutHash(wanted)));
}

function withoutHash(template: PodTemplate): PodTemplate {
  const copy = clone(template);
  delete copy.metadata?.labels?.[TEMPLATE_HASH];
  return copy;
}

export function templateHash(template: PodTemplate): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const digest = createHash('sha256')
    .update(canonical(withoutHash(template)))
    .digest();
  return [...digest.subarray(0, 10)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

export function revisionOf(object: Deployment | ReplicaSet): number {
  return Number(object.metadata.annotations?.[REVISION] ?? 0);
}

function creation(
  deployment: Deployment,
  replicas: number,
): { name: string; hash: string; replicas: number } {
  const hash = templateHash(deployment.spec.template);
  return { name: `${deployment.metadata.name}-${hash}`, hash, replicas };
}

function beyondHistory(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): string[] {
  // Nothing is thrown away while a rollout may still fail.
  if (!current || available(current) < deployment.spec.replicas) return [];
  const idle = old.filter((set) => set.spec.replicas === 0 && set.status.replicas === 0);
  const excess = idle.length - deployment.spec.revisionHistoryLimit;
  if (excess <= 0) return [];
  return idle
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, excess)
    .map((set) => set.metadata.name);
}

function available(set: ReplicaSet): number {
  return set.status.availableReplicas ?? 0;
}

function resizeTo(set: ReplicaSet, replicas: number): { name: string; replicas: number } {
  return { name: set.metadata.name, replicas };
}

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const older = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
  return older === 0 ? revisionOf(a) - revisionOf(b) : older;
}

export function sum<T>(items: readonly T[], count: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += count(item);
  return total;
}
