import { platformError, toWire } from '../../src/core/errors.ts';
import type { PlatformName, ReleaseId } from '../../src/core/ids.ts';
import type {
  InstanceState,
  Observation,
  ObservedInstance,
  ObservedOrigin,
  ObservedRelease,
  ObservedTrial,
  OperationStatus,
} from '../../src/core/provider.ts';
import type { HostApplication, HostInstance, HostRelease } from './wire.ts';

/** Pure: the host daemon's words into ours. */

const STATES: Readonly<Record<HostInstance['state'], InstanceState>> = {
  starting: 'starting',
  running: 'running',
  'backing-off': 'crashed',
  'crash-loop': 'crashed',
  stopping: 'stopping',
  stopped: 'stopped',
};

export function observationOf(
  application: HostApplication,
  read: { readonly at: number; readonly apiLatencyMs: number },
): Observation {
  const releases = application.releases.filter(({ trial }) => !trial);
  const tried = application.releases.find(({ trial }) => trial);
  const serving = servingRelease(releases);
  const current = serving ?? releases.find((release) => release.phase === 'starting');
  return {
    ...read,
    exists: application.releases.length > 0,
    releases: application.releases.map(releaseOf),
    serving: serving === undefined || isStopped(serving) ? undefined : serving.id,
    instances: releases.flatMap((release) => release.instances.map((one) => instanceOf(release.id, one))),
    desired: current?.wanted ?? 0,
    ...(tried === undefined ? {} : { trial: trialOf(tried) }),
    origins: [
      ...releases.flatMap(originsOf),
      ...(tried === undefined ? [] : originsOf(tried).map((origin) => ({ ...origin, trial: true as const }))),
    ],
    env: current?.env ?? {},
    foreign: [],
  };
}

/** It is there to be started again, with nothing that runs. */
function isStopped({ phase, wanted, instances }: HostRelease): boolean {
  return phase === 'running' && wanted === 0 && instances.length === 0;
}

/** No router decides here: it is the release whose instances all became ready last. */
export function servingRelease(releases: readonly HostRelease[]): HostRelease | undefined {
  let latest: HostRelease | undefined;
  for (const release of releases) {
    if (release.phase !== 'running') continue;
    if (latest === undefined || release.since >= latest.since) latest = release;
  }
  return latest;
}

function trialOf({ id, instances, wanted }: HostRelease): ObservedTrial {
  return { release: id, instances: instances.map((one) => instanceOf(id, one)), desired: wanted };
}

function releaseOf(release: HostRelease): ObservedRelease {
  // It is there to be applied, as it was before anybody tried it.
  if (release.trial || isStopped(release)) return { id: release.id, state: 'staged' };
  switch (release.phase) {
    case 'starting':
    case 'running':
      return { id: release.id, state: 'running' };
    case 'retiring':
      return { id: release.id, state: 'retired' };
    default:
      return { id: release.id, state: 'staged' };
  }
}

function instanceOf(release: ReleaseId, one: HostInstance): ObservedInstance {
  return {
    id: one.id,
    release,
    state: STATES[one.state],
    routable: one.state === 'running',
    restarts: one.restarts,
    ...(one.reason === null ? {} : { reason: one.reason }),
    ...(one.cpu === null ? {} : { cpu: one.cpu }),
    ...(one.memoryBytes === null ? {} : { memoryBytes: one.memoryBytes }),
  };
}

function originsOf(release: HostRelease): readonly ObservedOrigin[] {
  return release.instances
    .filter((one) => one.state === 'running')
    .map((one) => ({
      url: `http://127.0.0.1:${one.port}`,
      hostHeader: undefined,
      release: release.id,
      instance: one.id,
    }));
}

/** Where applying a release stands. */
export function applyStatus(
  platform: PlatformName,
  release: ReleaseId,
  application: HostApplication,
): OperationStatus {
  const found = application.releases.find((one) => one.id === release);
  switch (found?.phase) {
    case undefined:
    case 'retiring':
      return { state: 'lost', message: `${release} is no longer on the host` };
    case 'staged':
      return { state: 'lost', message: `${release} is staged and was not started` };
    case 'running':
      return { state: 'succeeded', message: `${found.wanted} instances ready` };
    case 'starting':
      return progressOf(found);
    case 'failed':
      return failed(platform, `${release} did not start`, found.failure?.reason, found.failure?.logTail);
  }
}

/** Where trying a release stands: it comes up as any other does, and then may change its size. */
export function trialStatus(
  platform: PlatformName,
  release: ReleaseId,
  application: HostApplication,
): OperationStatus {
  const found = application.releases.find((one) => one.id === release);
  return found?.phase === 'running'
    ? scaleStatus(platform, release, application)
    : applyStatus(platform, release, application);
}

/** Where changing the number of instances stands: as many as wanted, all ready, none too many. */
export function scaleStatus(
  platform: PlatformName,
  release: ReleaseId,
  application: HostApplication,
): OperationStatus {
  const found = application.releases.find((one) => one.id === release);
  if (found === undefined) return { state: 'lost', message: `${release} is no longer on the host` };
  const looping = found.instances.find((one) => one.state === 'crash-loop');
  if (looping !== undefined) {
    const why = `${looping.id} crashes again and again: ${looping.reason ?? 'it ends at once'}`;
    return failed(platform, `not all instances of ${release} start`, why, []);
  }
  const ready = readyOf(found);
  if (ready === found.wanted && found.instances.length === found.wanted) {
    return { state: 'succeeded', message: `${ready} instances ready` };
  }
  return progressOf(found);
}

function progressOf(release: HostRelease): OperationStatus {
  const ready = readyOf(release);
  const trouble = release.instances.find((one) => one.reason !== null && one.state !== 'stopping');
  const why = trouble === undefined ? '' : `; ${trouble.id} ${trouble.reason}`;
  return {
    state: 'running',
    message: `${ready} of ${release.wanted} instances ready${why}`,
    progress: { done: ready, total: release.wanted, unit: 'instances' },
    retryAfterMs: 100,
  };
}

function readyOf(release: HostRelease): number {
  return release.instances.filter((one) => one.state === 'running').length;
}

function failed(
  platform: PlatformName,
  what: string,
  why: string | undefined,
  logTail: readonly string[] = [],
): OperationStatus {
  const error = platformError('startFailed', platform, what, {
    ...(why === undefined ? {} : { why }),
    remedy: 'read its last lines; what served before still does. Check `command`, `health.path` and PORT',
    ...(logTail.length === 0 ? {} : { logTail }),
  });
  return { state: 'failed', error: toWire(error) };
}
