import { type Cluster, delayOf, scaledSeconds } from './cluster.ts';
import { containerCommand } from './container-command.ts';
import { watchProbes } from './container-probes.ts';
import { backOffMs, pullImage } from './image-pull.ts';
import { resolveEnvironment } from './pod-environment.ts';
import type { ContainerView } from './pod-status.ts';
import type { Container, ContainerState, Pod } from './pod-types.ts';
import { withMountPaths } from './pod-volumes.ts';
import { pullAccess } from './pull-access.ts';

export interface ContainerRun {
  view(): ContainerView;
  /** Ends with the container's process gone; the pod's grace period binds its preStop hook and its SIGTERM. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL, as when a node loses power. */
  kill(): void;
}

interface Surroundings {
  readonly cluster: Cluster;
  readonly pod: () => Pod;
  readonly container: Container;
  /** A folder of its own to unpack the image into. */
  readonly folder: string;
  readonly prepare: (image: string) => Promise<void>;
  readonly address: string;
  readonly changed: () => void;
  readonly event: (reason: string, message: string, warning?: boolean) => void;
}

/** The runner is not who decides whether a container started: its probes are. */
const NEVER_MS = 2_000_000_000;

/** One container: image, configuration, process, probes, restarts with back-off. */
export function runContainer(around: Surroundings): ContainerRun {
  const { cluster, container } = around;
  const { clock, runner, store } = cluster;
  const uid = around.pod().metadata.uid ?? '';
  const id = `${uid}/${container.name}`;
  const ending = new AbortController();
  const image = container.image ?? '';
  let view: ContainerView = {
    name: container.name,
    image,
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: {},
    ready: false,
    restarts: 0,
    id: '',
  };
  const over = supervise().catch((error: unknown) => {
    if (!ending.signal.aborted)
      cluster.logger?.error({ container: id, error: String(error) }, 'a container broke');
  });

  function become(change: Partial<ContainerView>): void {
    view = { ...view, ...change };
    if (!ending.signal.aborted) around.changed();
  }

  function waits(reason: string, message: string): void {
    become({ state: { waiting: { reason, message } } });
  }

  async function supervise(): Promise<void> {
    await pullImage(
      {
        cluster,
        namespace: around.pod().metadata.namespace ?? '',
        image,
        access: () => pullAccess(cluster, around.pod().metadata.namespace ?? '', around.pod().spec, image),
        prepare: around.prepare,
        event: around.event,
        waits,
      },
      ending.signal,
    );
    let backOff = 0;
    for (let run = 0; ; run++) {
      const env = await configuration();
      await powered();
      // Unpacking cannot be interrupted: the pod may have been deleted meanwhile, and nobody stops what starts after.
      ending.signal.throwIfAborted();
      const ended = await runOnce(run, env);
      ending.signal.throwIfAborted();
      if (isLast(around.pod().spec.restartPolicy, ended.exitCode)) {
        become({ state: { terminated: ended }, ready: false, over: true });
        return;
      }
      become({ state: { terminated: ended }, ready: false });
      around.event(
        'BackOff',
        `Back-off restarting failed container ${container.name} in pod ${around.pod().metadata.name}`,
        true,
      );
      // The first restart comes at once, the following ones ever later.
      const wait = backOff === 0 ? 0 : backOffMs(backOff - 1);
      backOff += 1;
      if (wait > 0) {
        become({
          state: {
            waiting: {
              reason: 'CrashLoopBackOff',
              message: `back-off ${Math.round(wait / 1_000)}s restarting failed container=${container.name} pod=${around.pod().metadata.name}_${around.pod().metadata.namespace}(${uid})`,
            },
          },
          lastState: { terminated: ended },
        });
      }
      await clock.sleep(wait * cluster.speed, ending.signal);
      become({ lastState: { terminated: ended }, restarts: view.restarts + 1 });
    }
  }

  async function configuration(): Promise<Record<string, string>> {
    for (;;) {
      const environment = resolveEnvironment(store, around.pod(), container);
      if (environment.kind === 'resolved')
        return withMountPaths(environment.values, container, around.folder);
      around.event('Failed', `Error: ${environment.message}`, true);
      waits('CreateContainerConfigError', environment.message);
      await clock.sleep(delayOf(cluster, 'crashBackOff'), ending.signal);
    }
  }

  /** Holds while the fault that keeps all pods down is on. */
  async function powered(): Promise<void> {
    while (cluster.faults.has('apps-down')) {
      waits('CrashLoopBackOff', 'back-off restarting failed container');
      await new Promise<void>((resolve, reject) => {
        const dispose = cluster.onFault(() => finish(resolve));
        const aborted = (): void => finish(() => reject(ending.signal.reason));
        function finish(then: () => void): void {
          dispose();
          ending.signal.removeEventListener('abort', aborted);
          then();
        }
        ending.signal.addEventListener('abort', aborted);
      });
    }
  }

  async function runOnce(
    run: number,
    env: Record<string, string>,
  ): Promise<NonNullable<ContainerState['terminated']>> {
    if (run > 0) cluster.podLogs.restart(uid, container.name);
    // The runner gives every process a port of its own and says so in PORT.
    const { PORT: _mapped, ...rest } = env;
    if (cluster.faults.has('wrong-release')) rest['SLUICE_RELEASE'] = 'r-0000000000';
    const crash = cluster.faults.has('crash-loop');
    const exited = new Promise<{ exitCode: number | undefined; reason: string | undefined }>((resolve) => {
      const dispose = runner.onChange((instance) => {
        if (instance.id !== id || instance.state !== 'stopped') return;
        dispose();
        resolve({ exitCode: instance.exitCode, reason: instance.reason });
      });
    });
    const startedAt = store.now();
    const containerId = `cri-o://${uid.replaceAll('-', '')}${run}`;
    const instance = await runner.start({
      id,
      command: crash ? 'echo "told to crash" >&2; exit 1' : containerCommand(container, around.folder, rest),
      cwd: around.folder,
      env: { HOSTNAME: around.pod().metadata.name, ...rest },
      startDetection: { kind: 'tcp' },
      startTimeoutMs: NEVER_MS,
      stopGraceMs: (around.pod().spec.terminationGracePeriodSeconds ?? 30) * 1_000,
      restart: false,
    });
    // The power may have gone while it was being started.
    if (cluster.faults.has('apps-down')) kill();
    connect(instance.port);
    const probes = new AbortController();
    const signal = AbortSignal.any([probes.signal, ending.signal]);
    become({
      state: { running: { startedAt } },
      id: containerId,
      ready: container.readinessProbe === undefined,
    });
    around.event('Started', `Started container ${container.name}`);
    watchProbes(
      {
        cluster,
        container,
        port: instance.port,
        isReady: () => view.ready,
        becomeReady: (ready) => become({ ready }),
        unready: (failure) => around.event('Unhealthy', `Readiness probe failed: ${failure}`, true),
        async dead() {
          around.event(
            'Killing',
            `Container ${container.name} failed liveness probe, will be restarted`,
            true,
          );
          await runner.stop(id);
        },
      },
      signal,
    );
    const end = await exited;
    probes.abort();
    return {
      exitCode: end.exitCode ?? 137,
      reason: end.exitCode === 0 ? 'Completed' : 'Error',
      startedAt,
      finishedAt: store.now(),
      containerID: containerId,
    };
  }

  function kill(): void {
    const pid = runner.get(id)?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone by itself meanwhile.
    }
  }

  function connect(port: number): void {
    cluster.network.connect(around.address, 0, port);
    for (const declared of container.ports ?? []) {
      cluster.network.connect(around.address, declared.containerPort, port);
    }
  }

  return {
    view: () => view,
    async stop(graceMs) {
      const hook = container.lifecycle?.preStop;
      const seconds = hook?.sleep?.seconds ?? sleepSeconds(hook?.exec?.command);
      if (view.state.running && seconds !== undefined) {
        // The hook's time is taken from the grace period.
        await clock.sleep(Math.min(graceMs, scaledSeconds(cluster, seconds)));
      }
      ending.abort(new Error('the pod is going away'));
      await runner.stop(id);
      await over;
      runner.forget(id);
    },
    kill,
  };
}

/** Whether a container that ended stays ended. */
function isLast(restartPolicy: string | undefined, exitCode: number): boolean {
  return restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0);
}

/** Hooks that only wait, the ones people write: `sleep 10`, `sh -c "sleep 10"`. */
function sleepSeconds(command: readonly string[] | undefined): number | undefined {
  const found = /^(?:\S*sh -c )?sleep (\d+)$/.exec(command?.join(' ') ?? '');
  return found ? Number(found[1]) : undefined;
}
