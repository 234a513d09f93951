import { platformError } from '../../src/core/errors.ts';
import type { OperationHandle, OperationStatus, ProviderContext } from '../../src/core/provider.ts';
import type { HostClient } from './client.ts';
import { groupOf, readGroups } from './groups.ts';
import { scaleStatus, servingRelease } from './translate.ts';
import type { HostApplication, HostInstance } from './wire.ts';

type Native = Record<string, string>;

/** Web first: what it has sent to the others is still worked on. */
export async function stop(host: HostClient, context: ProviderContext, application: string): Promise<void> {
  await host.stop(application, context.signal);
  for (const [name, group] of await readGroups(host, application, context.signal)) {
    if (servingRelease(group.releases) !== undefined)
      await host.stop(groupOf(application, name), context.signal);
  }
}

export async function stopStatus(
  host: HostClient,
  { application }: OperationHandle,
  signal: AbortSignal,
): Promise<OperationStatus> {
  const groups = await readGroups(host, application, signal);
  const all = [await host.application(application, signal), ...groups.values()];
  const left = all.flatMap(({ releases }) =>
    releases.flatMap(({ instances, trial }) => (trial ? [] : instances)),
  );
  if (left.length === 0) return { state: 'succeeded', message: 'stopped' };
  return { state: 'running', message: `${left.length} instances are ending`, retryAfterMs: 100 };
}

/** Returns the release of web. */
export async function start(
  host: HostClient,
  context: ProviderContext,
  application: string,
): Promise<string> {
  const release = await host.start(application, context.signal);
  for (const [name, group] of await readGroups(host, application, context.signal)) {
    if (servingRelease(group.releases) !== undefined)
      await host.start(groupOf(application, name), context.signal);
  }
  return release;
}

/** Each instance of a process beside web; returns what a poll must know. */
export async function restartGroup(
  host: HostClient,
  platform: string,
  context: ProviderContext,
  application: string,
  process: string,
): Promise<Native> {
  if (process === 'web') {
    throw platformError('unsupported', platform, 'web is restarted one instance after the other', {
      why: 'nothing but the gateway stands before its instances',
      remedy: 'restart it through `sluice restart`',
    });
  }
  const group = groupOf(application, process);
  const seen = await host.application(group, context.signal);
  if (servingRelease(seen.releases) === undefined) {
    throw platformError('notFound', platform, `there is no process ${process} of ${application}`, {
      why: `the host runs nothing under the name ${group}`,
      remedy: 'deploy it first: sluice deploy',
    });
  }
  for (const one of servingInstances(seen)) await host.restart(group, one.id, one.since, context.signal);
  return restarting(group, seen);
}

export async function restartInstance(
  host: HostClient,
  platform: string,
  context: ProviderContext,
  application: string,
  instance: string,
): Promise<Native> {
  const seen = await host.application(application, context.signal);
  const found = servingInstances(seen).find(({ id }) => id === instance);
  if (found === undefined) {
    throw platformError('notFound', platform, `there is no instance ${instance} of ${application}`, {
      why: 'it was scaled away, or another release serves',
      remedy: 'restart it again',
    });
  }
  await host.restart(application, instance, found.since, context.signal);
  return restarting(application, seen, found);
}

/** `old`: each with when it became what it was, so that anybody can tell it from the one that comes after it. */
function restarting(group: string, seen: HostApplication, only?: HostInstance): Native {
  const old = (only === undefined ? servingInstances(seen) : [only]).map(({ id, since }) => [id, since]);
  return { group, release: servingRelease(seen.releases)?.id ?? '', old: JSON.stringify(old) };
}

export async function restartStatus(
  host: HostClient,
  platform: string,
  { native }: OperationHandle,
  signal: AbortSignal,
): Promise<OperationStatus> {
  const application = await host.application(native['group'] ?? '', signal);
  const old: readonly (readonly [string, number])[] = JSON.parse(native['old'] ?? '[]');
  const now = servingInstances(application);
  const waiting = old.filter(([id, since]) => {
    const one = now.find((instance) => instance.id === id);
    return one === undefined || one.since <= since;
  });
  if (waiting.length === 0) return scaleStatus(platform, native['release'] ?? '', application);
  return { state: 'running', message: `${waiting.length} instances are ending`, retryAfterMs: 100 };
}

function servingInstances({ releases }: HostApplication): readonly HostInstance[] {
  return servingRelease(releases)?.instances ?? [];
}
