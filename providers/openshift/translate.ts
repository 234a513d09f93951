import type {
  InstanceState,
  ObservedInstance,
  ObservedOrigin,
  ObservedRelease,
} from '../../src/core/provider.ts';
import type { Options } from './config.ts';
import { RELEASE } from './names.ts';
import type { Usage } from './usage.ts';
import type { Build, Condition, Pod, ReplicaSet, Route } from './wire.ts';

/** Pure: Kubernetes' words into ours. */

/** Waiting reasons that do not go away by waiting. `ErrImagePull` is not among them: the next try often works. */
const HOPELESS: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
/** One restart may be bad luck (a database that came a second later). */
const CRASHES_UNTIL_HOPELESS = 2;

export interface Trouble {
  /** `CrashLoopBackOff: exited with code 1, 3 restarts`. */
  readonly text: string;
  readonly hopeless: boolean;
  /** The container ran and ended: its last words are in the previous log. */
  readonly crashed: boolean;
  /** No node has place for it. */
  readonly unplaced?: true;
}

/** Why a pod is not well, or undefined. */
export function troubleOf(pod: Pod): Trouble | undefined {
  const container = pod.status.containerStatuses[0];
  const waiting = container?.state.waiting;
  const ended = container?.state.terminated ?? container?.lastState.terminated;
  if (waiting?.reason === 'CrashLoopBackOff' || container?.state.terminated) {
    const restarts = container?.restartCount ?? 0;
    const words = [
      ended
        ? `${ended.reason === 'OOMKilled' ? 'killed for using too much memory' : `exited with code ${ended.exitCode ?? '?'}`}`
        : '',
      restarts > 0 ? `${restarts} ${restarts === 1 ? 'restart' : 'restarts'}` : '',
    ].filter(Boolean);
    const reason = waiting?.reason ?? ended?.reason ?? 'Terminated';
    return {
      text: words.length === 0 ? reason : `${reason}: ${words.join(', ')}`,
      hopeless: waiting?.reason === 'CrashLoopBackOff' && restarts >= CRASHES_UNTIL_HOPELESS,
      crashed: true,
    };
  }
  if (
    waiting?.reason !== undefined &&
    waiting.reason !== 'ContainerCreating' &&
    waiting.reason !== 'PodInitializing'
  ) {
    return {
      text: joined(waiting.reason, waiting.message),
      hopeless: HOPELESS.has(waiting.reason),
      crashed: false,
    };
  }
  const unscheduled = condition(pod.status.conditions, 'PodScheduled');
  if (unscheduled?.status === 'False') {
    return {
      text: joined(unscheduled.reason ?? 'not scheduled', unscheduled.message),
      hopeless: false,
      crashed: false,
      unplaced: true,
    };
  }
  if (pod.status.phase === 'Failed') {
    return {
      text: joined(pod.status.reason ?? 'Failed', pod.status.message),
      hopeless: false,
      crashed: false,
    };
  }
  return undefined;
}

export function isReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    condition(pod.status.conditions, 'Ready')?.status === 'True'
  );
}

export function instanceOf(pod: Pod, usages: ReadonlyMap<string, Usage> = new Map()): ObservedInstance {
  const reason = troubleOf(pod)?.text;
  return {
    id: pod.metadata.name,
    release: pod.metadata.labels[RELEASE],
    state: instanceState(pod),
    routable: isReady(pod),
    restarts: pod.status.containerStatuses[0]?.restartCount ?? 0,
    ...(reason === undefined ? {} : { reason }),
    ...usages.get(pod.metadata.name),
  };
}

function instanceState(pod: Pod): InstanceState {
  if (pod.metadata.deletionTimestamp !== undefined) return 'stopping';
  switch (pod.status.phase) {
    case 'Pending':
      return 'pending';
    case 'Running':
      if (isReady(pod)) return 'running';
      if (troubleOf(pod)?.crashed) return 'crashed';
      return wasReady(pod) ? 'unhealthy' : 'starting';
    case 'Succeeded':
      return 'stopped';
    case 'Failed':
      return 'crashed';
    default:
      return 'unknown';
  }
}

/** Ready is false from birth; when it changed after the container began to run, the pod had been ready in between. */
function wasReady(pod: Pod): boolean {
  const since = condition(pod.status.conditions, 'Ready')?.lastTransitionTime;
  const started = pod.status.containerStatuses[0]?.state.running?.startedAt;
  // Both are RFC 3339 in UTC with whole seconds, so they compare as text.
  return typeof since === 'string' && typeof started === 'string' && since > started;
}

export function releasesOf(
  builds: readonly Build[],
  replicaSets: readonly ReplicaSet[],
  pods: readonly Pod[],
): readonly ObservedRelease[] {
  const found = new Map<string, ObservedRelease['state']>();
  for (const set of replicaSets) {
    const id = set.metadata.labels[RELEASE];
    if (id !== undefined) found.set(id, 'retired');
  }
  // Builds inherit the labels of their BuildConfig. An image alone does not count: staging would build it anew.
  for (const build of builds) {
    const id = build.metadata.labels[RELEASE];
    if (id !== undefined && buildPhase(build) === 'complete') found.set(id, 'staged');
  }
  for (const set of replicaSets) {
    const id = set.metadata.labels[RELEASE];
    if (id !== undefined && set.status.replicas > 0) found.set(id, 'running');
  }
  for (const pod of pods) {
    const id = pod.metadata.labels[RELEASE];
    if (id !== undefined && pod.metadata.deletionTimestamp === undefined) found.set(id, 'running');
  }
  return [...found].map(([id, state]) => ({ id, state }));
}

/** The Service sends to all ready pods alike, so most of them decide; on a tie the one that is not yet through. */
export function servingRelease(pods: readonly Pod[], wanted: string | undefined): string | undefined {
  const ready = new Map<string, number>();
  for (const pod of pods) {
    const id = pod.metadata.labels[RELEASE];
    if (id !== undefined && isReady(pod)) ready.set(id, (ready.get(id) ?? 0) + 1);
  }
  let best: string | undefined;
  for (const [id, pods] of ready) {
    const most = best === undefined ? 0 : (ready.get(best) ?? 0);
    if (pods > most || (pods === most && best === wanted)) best = id;
  }
  return best;
}

export function originsOf(route: Route | undefined, options: Options): readonly ObservedOrigin[] {
  const host = route?.spec.host || route?.status.ingress[0]?.host;
  if (!host) return [];
  const url = (options.router ?? `https://${host}`).replace(/\/+$/, '');
  if (!url.startsWith('https:')) return [{ url, hostHeader: host }];
  // Who signed for the API has as a rule signed for the router too.
  const trust = options.ca === undefined ? {} : { ca: options.ca };
  return [{ url, hostHeader: host, sni: host, ...trust }];
}

export type Admission =
  | { readonly state: 'admitted' }
  | { readonly state: 'pending' }
  | { readonly state: 'refused'; readonly reason: string; readonly message: string };

/** One router that took it is enough: others may serve other shards. */
export function admissionOf(route: Route): Admission {
  let refusal: Admission | undefined;
  for (const ingress of route.status.ingress) {
    // What a router said of an earlier host stays in the status and means nothing now.
    if (route.spec.host !== '' && ingress.host !== route.spec.host) continue;
    const admitted = condition(ingress.conditions, 'Admitted');
    if (admitted?.status === 'True') return { state: 'admitted' };
    if (admitted?.status === 'False') {
      refusal = {
        state: 'refused',
        reason: admitted.reason ?? 'NotAdmitted',
        message: admitted.message ?? '',
      };
    }
  }
  return refusal ?? { state: 'pending' };
}

type BuildPhase = 'queued' | 'running' | 'complete' | 'failed';

export function buildPhase(build: Build): BuildPhase {
  switch (build.status.phase) {
    case 'Complete':
      return 'complete';
    case 'Failed':
    case 'Error':
    case 'Cancelled':
      return 'failed';
    case 'Running':
      return 'running';
    default:
      return 'queued';
  }
}

/** Builds of one BuildConfig are numbered; the newest last. */
export function buildNumber(build: Build): number {
  return Number(
    build.metadata.annotations['openshift.io/build.number'] ?? /-(\d+)$/.exec(build.metadata.name)?.[1] ?? 0,
  );
}

export function condition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((c) => c.type === type);
}

export function ownEnvironment(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

/** The name of the application's own Secret, as its template refers to it. */
export function secretOf(
  template:
    | {
        spec: { containers: readonly { envFrom: readonly { secretRef?: { name: string } | undefined }[] }[] };
      }
    | undefined,
): string | undefined {
  return template?.spec.containers[0]?.envFrom.find((source) => source.secretRef)?.secretRef?.name;
}

function joined(reason: string, message: string | undefined): string {
  return message ? `${reason}: ${message}` : reason;
}
