import { platformError, type SluiceError, toWire } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  PlatformProvider,
  ProviderContext,
  ProviderDeps,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import { createClient, type RunWish } from './client.ts';
import type { Options } from './config.ts';
import { events } from './events.ts';
import { applyGroups, groupOf, groupsStatus, observedGroups, readGroups } from './groups.ts';
import { logs } from './logs.ts';
import { planChanges } from './plan.ts';
import { restartGroup, restartInstance, restartStatus, start, stop, stopStatus } from './power.ts';
import { servicesOf, withVolumes } from './services.ts';
import { pollTask } from './tasks.ts';
import { applyStatus, observationOf, scaleStatus, trialStatus } from './translate.ts';
import type { HostApplication } from './wire.ts';

/** Between SIGTERM and SIGKILL; the gateway has drained an origin before it is retired. */
const STOP_GRACE_MS = 10_000;

/**
 * Instances as processes of this machine, owned by `sluice host`. Releases run beside each other, each instance is
 * an origin of its own.
 */
export function createProvider(deps: ProviderDeps<Options>): PlatformProvider {
  const { platform, clock } = deps;
  const host = createClient(deps);

  function handleOf(
    context: ProviderContext,
    kind: OperationHandle['kind'],
    application: string,
    native: Record<string, string> = {},
  ): OperationHandle {
    return { platform, application, kind, native, startedAt: context.now() };
  }

  /** Done already, or to be polled. */
  async function operation(context: ProviderContext, handle: OperationHandle): Promise<Operation> {
    const status = await poll(context, handle);
    return status.state === 'succeeded' ? { handle, done: status } : { handle };
  }

  async function poll(context: ProviderContext, handle: OperationHandle): Promise<OperationStatus> {
    if (handle.kind === 'processes') return groupsStatus(host, platform, handle, context.signal);
    if (handle.kind === 'task') return pollTask(host, platform, context, handle);
    const application = await host.application(handle.application, context.signal);
    const release = handle.native['release'] ?? '';
    const found = application.releases.find((one) => one.id === release);
    switch (handle.kind) {
      case 'stage':
        return found === undefined
          ? { state: 'lost', message: `${release} is not on the host` }
          : { state: 'succeeded', artifact: artifactOf(release, found.digest) };
      case 'apply':
        return applyStatus(platform, release, application);
      case 'scale':
        return scaleStatus(platform, release, application);
      case 'retire':
        return goneStatus(found?.instances.length, found !== undefined);
      case 'destroy':
        return destroyed(application, await readGroups(host, handle.application, context.signal));
      case 'services':
        // Folders are made at once: there is nothing to wait for.
        return { state: 'succeeded' };
      case 'trial':
        return trialStatus(platform, release, application);
      case 'stop':
        return stopStatus(host, handle, context.signal);
      case 'start':
        return scaleStatus(platform, release, application);
      case 'restart':
        return restartStatus(host, platform, handle, context.signal);
      case 'endTrial': {
        const ending = found?.trial === false && found.phase === 'staged' ? found.instances.length : 0;
        return goneStatus(ending, ending > 0);
      }
    }
  }

  return {
    kind: 'selfhosted',
    platform,

    async describe(context) {
      const info = await host.info(context.signal);
      return {
        kind: 'selfhosted',
        apiVersion: info.api,
        identity: `${info.user}@${info.hostname}`,
        capabilities: { sideBySide: true, hostHeader: 'any' },
      };
    },

    async observe(context, application) {
      const began = clock.monotonic();
      const [seen, groups] = await Promise.all([
        host.application(application, context.signal),
        readGroups(host, application, context.signal),
      ]);
      const processes = observedGroups(groups);
      return {
        ...observationOf(seen, { at: context.now(), apiLatencyMs: clock.monotonic() - began }),
        ...(processes === undefined ? {} : { processes }),
      };
    },

    async plan(context, want, seen) {
      return planChanges(await withVolumes(host, context, want), seen);
    },

    async check(_context, want) {
      if (want.image !== undefined) {
        const { reference } = want.image;
        return [{ what: 'container image', found: reference, error: toWire(noImages(platform)) }];
      }
      const what = 'command of process web';
      if (want.process.command !== '') return [{ what, found: want.process.command }];
      return [{ what, found: 'none', error: toWire(noCommand(platform, want.application)) }];
    },

    async stage(context, want, bundle) {
      if (bundle === undefined) throw noImages(platform);
      const { application, release, processes = [] } = want;
      for (const { name } of processes) {
        const group = groupOf(application, name);
        if (await host.offer(group, release.id, bundle, context.signal)) {
          await host.send(group, release.id, await bundle.tarGz(), context.signal);
        }
      }
      if (await host.offer(application, release.id, bundle, context.signal)) {
        const archive = await bundle.tarGz();
        const text = `sending ${bundle.files.length} files, ${Math.ceil(archive.length / 1024)} KiB`;
        context.log({ at: context.now(), source: 'platform', text });
        await host.send(application, release.id, archive, context.signal);
      }
      const handle = handleOf(context, 'stage', application, { release: release.id });
      return { handle, done: { state: 'succeeded', artifact: artifactOf(release.id, bundle.digest) } };
    },

    async apply(context, given, artifact) {
      const want = await withVolumes(host, context, given);
      const { application, process } = want;
      const release = artifact.native['release'] ?? want.release.id;
      await host.run(application, release, runOf(platform, want), process.instances, context.signal);
      return operation(context, handleOf(context, 'apply', application, { release }));
    },

    async scale(context, application, instances) {
      const release = await host.scale(application, instances, context.signal);
      return operation(context, handleOf(context, 'scale', application, { release }));
    },

    async retire(context, application, release) {
      for (const name of (await readGroups(host, application, context.signal)).keys()) {
        await host.retire(groupOf(application, name), release, context.signal);
      }
      await host.retire(application, release, context.signal);
      return operation(context, handleOf(context, 'retire', application, { release }));
    },

    async destroy(context, application) {
      for (const name of (await readGroups(host, application, context.signal)).keys()) {
        await host.destroy(groupOf(application, name), context.signal);
      }
      await host.destroy(application, context.signal);
      return operation(context, handleOf(context, 'destroy', application));
    },

    trial: {
      async start(context, given, artifact) {
        const want = await withVolumes(host, context, given);
        const { application, process } = want;
        const release = artifact.native['release'] ?? want.release.id;
        await host.runTrial(application, release, runOf(platform, want), process.instances, context.signal);
        return operation(context, handleOf(context, 'trial', application, { release }));
      },
      async end(context, application, release) {
        await host.endTrial(application, release, context.signal);
        return operation(context, handleOf(context, 'endTrial', application, { release }));
      },
    },

    poll,

    power: {
      async stop(context, application) {
        await stop(host, context, application);
        return operation(context, handleOf(context, 'stop', application));
      },
      async start(context, application) {
        const release = await start(host, context, application);
        return operation(context, handleOf(context, 'start', application, { release }));
      },
      async restart(context, application, process) {
        const native = await restartGroup(host, platform, context, application, process);
        return operation(context, handleOf(context, 'restart', application, native));
      },
      async restartInstance(context, application, instance) {
        const native = await restartInstance(host, platform, context, application, instance);
        return operation(context, handleOf(context, 'restart', application, native));
      },
    },
    services: servicesOf(host, (context, application) => handleOf(context, 'services', application)),

    processes: {
      async apply(context, given) {
        const want = await withVolumes(host, context, given);
        const { application, processes = [] } = want;
        await applyGroups({ host, platform, clock, stopGraceMs: STOP_GRACE_MS }, context, want);
        const names = processes.map(({ name }) => name).join(' ');
        const native = { release: want.release.id, processes: names };
        return operation(context, handleOf(context, 'processes', application, native));
      },
      async scale(context, application, process, instances) {
        await host.scale(groupOf(application, process), instances, context.signal);
      },
    },

    tasks: {
      async start(context, given, artifact, { name, run, command, timeoutMs }) {
        const want = await withVolumes(host, context, given);
        const { application, env } = want;
        const release = artifact.native['release'] ?? want.release.id;
        await host.startTask(application, run, { release, command, env, timeoutMs }, context.signal);
        return { handle: handleOf(context, 'task', application, { run, task: name }) };
      },
      cancel: (context, { application, native }) =>
        host.stopTask(application, native['run'] ?? '', context.signal),
      forget: (context, { application, native }) =>
        host.forgetTask(application, native['run'] ?? '', context.signal),
    },

    logs: (context, application, query) => logs(host, context, application, query),

    events: (context, application, query) => events(host, context, application, query),

    close: () => host.close(),
  };
}

function noImages(platform: string): SluiceError {
  return platformError('unsupported', platform, 'this platform runs no container images', {
    why: 'the driver `process` runs programs of this machine, without a container',
    remedy: 'give the application a `source`, or take this platform out of its targets',
  });
}

function noCommand(platform: string, application: string): SluiceError {
  return platformError('invalid', platform, 'there is no command to run', {
    why: `neither ${application} nor its process web has a command`,
    remedy: `set \`command\` of ${application}: this platform does not guess one from the source`,
  });
}

function runOf(platform: string, { application, process, env, health }: TargetSpec): RunWish {
  if (process.command === '') {
    throw noCommand(platform, application);
  }
  return {
    command: process.command,
    env,
    ...(health.path === undefined ? {} : { healthPath: health.path }),
    startTimeoutMs: health.startTimeoutMs,
    stopGraceMs: STOP_GRACE_MS,
  };
}

function artifactOf(release: string, digest: string): StagedArtifact {
  return { digest, native: { release } };
}

function destroyed(
  application: HostApplication,
  groups: ReadonlyMap<string, HostApplication>,
): OperationStatus {
  const releases = [application, ...groups.values()].flatMap((one) => one.releases);
  return goneStatus(releases.flatMap((one) => one.instances).length, releases.length > 0);
}

function goneStatus(instances: number | undefined, present: boolean): OperationStatus {
  if (!present) return { state: 'succeeded', message: 'gone' };
  const message = instances ? `${instances} instances are ending` : 'removing its files';
  return { state: 'running', message, retryAfterMs: 100 };
}
