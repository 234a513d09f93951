import { platformError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type {
  ObservedProcess,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { HostClient } from './client.ts';
import { applyStatus, servingRelease } from './translate.ts';
import type { HostApplication } from './wire.ts';

/** Two dashes part the application from its process: to the host each group is an application of its own. */
const BETWEEN = '--';
/** Between SIGTERM and SIGKILL the host itself waits for `stopGraceMs`. */
const STOP_MARGIN_MS = 20_000;
const LOOK_MS = 200;

export function groupOf(application: string, process: string): string {
  return `${application}${BETWEEN}${process}`;
}

/** Process name to what the host has of it. */
export async function readGroups(
  host: HostClient,
  application: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, HostApplication>> {
  const prefix = groupOf(application, '');
  const names = (await host.applications(signal)).filter((name) => name.startsWith(prefix));
  const read = names.map(
    async (name) => [name.slice(prefix.length), await host.application(name, signal)] as const,
  );
  return new Map(await Promise.all(read));
}

export function observedGroups(
  groups: ReadonlyMap<string, HostApplication>,
): Readonly<Record<string, ObservedProcess>> | undefined {
  const found = [...groups].flatMap(([name, group]): [string, ObservedProcess][] => {
    const current = currentOf(group);
    const running = group.releases.flatMap(({ instances }) => instances);
    const isStagedOnly = group.releases.every(({ phase }) => phase === 'staged');
    if (isStagedOnly) return [];
    return [
      [
        name,
        {
          desired: current?.wanted ?? 0,
          running: running.filter(({ state }) => state !== 'stopped').length,
          release: current?.id,
          command: current?.command ?? undefined,
          // The host gives no limits.
          memoryBytes: undefined,
        },
      ],
    ];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function currentOf(group: HostApplication) {
  return servingRelease(group.releases) ?? group.releases.find(({ phase }) => phase === 'starting');
}

/**
 * Each process of the release in place of what ran before: the old instances end before the new ones start, so that
 * nothing is worked on twice. What is not wanted any more goes.
 */
export async function applyGroups(
  {
    host,
    platform,
    clock,
    stopGraceMs,
  }: { host: HostClient; platform: string; clock: Clock; stopGraceMs: number },
  context: ProviderContext,
  want: TargetSpec,
): Promise<void> {
  const { application, processes = [] } = want;
  const release = want.release.id;
  const { signal } = context;
  const there = await readGroups(host, application, signal);
  for (const name of there.keys()) {
    if (!processes.some((process) => process.name === name))
      await host.destroy(groupOf(application, name), signal);
  }
  for (const { name, command, instances } of processes) {
    const group = groupOf(application, name);
    const seen = there.get(name);
    const wanted = instances ?? (seen === undefined ? 0 : (currentOf(seen)?.wanted ?? 0));
    for (const { id } of seen?.releases ?? []) if (id !== release) await host.retire(group, id, signal);
    await ended(group);
    const run = {
      command,
      env: want.env,
      listens: false,
      startTimeoutMs: want.health.startTimeoutMs,
      stopGraceMs,
    } as const;
    await host.run(group, release, run, wanted, signal);
  }

  async function ended(group: string): Promise<void> {
    const deadline = clock.monotonic() + stopGraceMs + STOP_MARGIN_MS;
    for (;;) {
      const { releases } = await host.application(group, signal);
      const left = releases.filter(({ id, instances }) => id !== release && instances.length > 0);
      if (left.length === 0) return;
      if (clock.monotonic() > deadline) {
        throw platformError('timeout', platform, `${group} does not stop`, {
          why: `${left.flatMap(({ instances }) => instances).length} instances of ${left[0]?.id} still run`,
          remedy: 'look at them on the host; then deploy again',
        });
      }
      await clock.sleep(LOOK_MS, signal);
    }
  }
}

/** Up when every group is. */
export async function groupsStatus(
  host: HostClient,
  platform: string,
  handle: OperationHandle,
  signal: AbortSignal,
): Promise<OperationStatus> {
  const { release = '', processes = '' } = handle.native;
  const names = processes.split(' ').filter(Boolean);
  for (const name of names) {
    const group = await host.application(groupOf(handle.application, name), signal);
    const status = applyStatus(platform, release, group);
    if (status.state === 'running') return { ...status, message: `${name}: ${status.message}` };
    if (status.state !== 'succeeded') return status;
  }
  return { state: 'succeeded', message: `${names.join(', ')} run` };
}
