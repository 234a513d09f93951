import { type Cluster, delayOf, scaledSeconds } from './cluster.ts';
import { containerCommand } from './container-command.ts';
import { DELAYS } from './delays.ts';
import { imageFolderFor } from './image-lookup.ts';
import { parseReference } from './images.ts';
import { resolveEnvironment } from './pod-environment.ts';
import type { ContainerView } from './pod-status.ts';
import { probeOnce } from './probe.ts';
import type { Container, ContainerState, Pod, Probe } from './types.ts';

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

/** A probe never runs more often than this, however fast the clock of a test. */
const SHORTEST_PERIOD_MS = 40;
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

  async function supervise(): Promise<void> {
    await pull();
    let backOff = 0;
    for (let run = 0; ; run++) {
      const env = await configuration();
      await powered();
      // Unpacking cannot be interrupted: the pod may have been deleted meanwhile, and nobody stops what starts after.
      ending.signal.throwIfAborted();
      const ended = await runOnce(run, env);
      ending.signal.throwIfAborted();
      become({ state: { terminated: ended }, ready: false });
      around.event(
        'BackOff',
        `Back-off restarting failed container ${container.name} in pod ${around.pod().metadata.name}`,
        true,
      );
      // The first restart comes at once, the following ones ever later.
      const wait =
        backOff === 0 ? 0 : Math.min(DELAYS.crashBackOffMax, DELAYS.crashBackOff * 2 ** (backOff - 1));
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

  async function pull(): Promise<void> {
    if (!parseReference(image)) {
      around.event(
        'InspectFailed',
        `Failed to apply default image tag "${image}": couldn't parse image name`,
        true,
      );
      become({
        state: {
          waiting: {
            reason: 'InvalidImageName',
            message: `Failed to apply default image tag "${image}": couldn't parse image name: invalid reference format`,
          },
        },
      });
      await forever();
    }
    await clock.sleep(delayOf(cluster, 'pull'), ending.signal);
    for (let attempt = 0; ; attempt++) {
      const folder = imageFolderFor(cluster, around.pod().metadata.namespace ?? '', image);
      if (folder) {
        await around.prepare(folder);
        around.event('Pulled', `Successfully pulled image "${image}"`);
        return;
      }
      const message = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": not found`;
      around.event('Failed', `Failed to pull image "${image}": ${message}`, true);
      become({ state: { waiting: { reason: 'ErrImagePull', message } } });
      await clock.sleep(delayOf(cluster, 'pull'), ending.signal);
      become({
        state: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } },
      });
      await clock.sleep(backOffMs(attempt), ending.signal);
    }
  }

  function backOffMs(attempt: number): number {
    return Math.min(DELAYS.crashBackOffMax, DELAYS.crashBackOff * 2 ** attempt) * cluster.speed;
  }

  async function configuration(): Promise<Record<string, string>> {
    for (;;) {
      const environment = resolveEnvironment(store, around.pod(), container);
      if (environment.kind === 'resolved') return environment.values;
      around.event('Failed', `Error: ${environment.message}`, true);
      become({ state: { waiting: { reason: 'CreateContainerConfigError', message: environment.message } } });
      await clock.sleep(delayOf(cluster, 'crashBackOff'), ending.signal);
    }
  }

  /** Holds while the fault that keeps all pods down is on. */
  async function powered(): Promise<void> {
    while (cluster.faults.has('apps-down')) {
      become({
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting failed container' } },
      });
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
    if (container.readinessProbe) void watchReadiness(container.readinessProbe, instance.port, signal);
    if (container.livenessProbe) void watchLiveness(container.livenessProbe, instance.port, signal);
    const end = await exited;
    probes.abort();
    const killed = end.exitCode === undefined;
    return {
      exitCode: end.exitCode ?? 137,
      reason: end.exitCode === 0 ? 'Completed' : killed ? 'Error' : 'Error',
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

  async function watchReadiness(probe: Probe, port: number, signal: AbortSignal): Promise<void> {
    let passed = 0;
    let failed = 0;
    await everyPeriod(probe, signal, async () => {
      const failure = await probeOnce(probe, port);
      if (signal.aborted) return;
      passed = failure === undefined ? passed + 1 : 0;
      failed = failure === undefined ? 0 : failed + 1;
      if (!view.ready && passed >= (probe.successThreshold ?? 1)) become({ ready: true });
      if (failure === undefined) return;
      around.event('Unhealthy', `Readiness probe failed: ${failure}`, true);
      if (view.ready && failed >= (probe.failureThreshold ?? 3)) become({ ready: false });
    });
  }

  async function watchLiveness(probe: Probe, port: number, signal: AbortSignal): Promise<void> {
    let failed = 0;
    await everyPeriod(probe, signal, async () => {
      const failure = await probeOnce(probe, port);
      if (signal.aborted) return;
      failed = failure === undefined ? 0 : failed + 1;
      if (failed < (probe.failureThreshold ?? 3)) return;
      failed = 0;
      around.event('Killing', `Container ${container.name} failed liveness probe, will be restarted`, true);
      await runner.stop(id);
    });
  }

  async function everyPeriod(probe: Probe, signal: AbortSignal, check: () => Promise<void>): Promise<void> {
    const period = Math.max(SHORTEST_PERIOD_MS, scaledSeconds(cluster, probe.periodSeconds ?? 10));
    try {
      await clock.sleep(scaledSeconds(cluster, probe.initialDelaySeconds ?? 0), signal);
      while (!signal.aborted) {
        await check();
        // Until it is first ready a new container is looked at more often, so that a rollout need not wait out a period.
        await clock.sleep(
          view.ready ? period : Math.min(period, Math.max(SHORTEST_PERIOD_MS, 1_000 * cluster.speed)),
          signal,
        );
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  function forever(): Promise<never> {
    return new Promise((_resolve, reject) => {
      ending.signal.addEventListener('abort', () => reject(ending.signal.reason));
    });
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

/** Hooks that only wait, the ones people write: `sleep 10`, `sh -c "sleep 10"`. */
function sleepSeconds(command: readonly string[] | undefined): number | undefined {
  const found = /^(?:\S*sh -c )?sleep (\d+)$/.exec(command?.join(' ') ?? '');
  return found ? Number(found[1]) : undefined;
}
