import { type Cluster, scaledSeconds } from './cluster.ts';
import type { Container, Probe } from './pod-types.ts';
import { probeOnce } from './probe.ts';

/** A probe never runs more often than this, however fast the clock of a test. */
const SHORTEST_PERIOD_MS = 40;

interface Watched {
  readonly cluster: Pick<Cluster, 'clock' | 'speed'>;
  readonly container: Container;
  readonly port: number;
  readonly isReady: () => boolean;
  readonly becomeReady: (ready: boolean) => void;
  readonly unready: (failure: string) => void;
  /** The liveness probe has failed often enough. */
  readonly dead: () => Promise<void>;
}

/** Asks a running container how it is until the signal says that it no longer runs. */
export function watchProbes(watched: Watched, signal: AbortSignal): void {
  const { readinessProbe, livenessProbe } = watched.container;
  if (readinessProbe) void watchReadiness(watched, readinessProbe, signal);
  if (livenessProbe) void watchLiveness(watched, livenessProbe, signal);
}

async function watchReadiness(watched: Watched, probe: Probe, signal: AbortSignal): Promise<void> {
  let passed = 0;
  let failed = 0;
  await everyPeriod(watched, probe, signal, async () => {
    const failure = await probeOnce(probe, watched.port);
    if (signal.aborted) return;
    passed = failure === undefined ? passed + 1 : 0;
    failed = failure === undefined ? 0 : failed + 1;
    if (!watched.isReady() && passed >= (probe.successThreshold ?? 1)) watched.becomeReady(true);
    if (failure === undefined) return;
    watched.unready(failure);
    if (watched.isReady() && failed >= (probe.failureThreshold ?? 3)) watched.becomeReady(false);
  });
}

async function watchLiveness(watched: Watched, probe: Probe, signal: AbortSignal): Promise<void> {
  let failed = 0;
  await everyPeriod(watched, probe, signal, async () => {
    const failure = await probeOnce(probe, watched.port);
    if (signal.aborted) return;
    failed = failure === undefined ? 0 : failed + 1;
    if (failed < (probe.failureThreshold ?? 3)) return;
    failed = 0;
    await watched.dead();
  });
}

async function everyPeriod(
  { cluster, isReady }: Watched,
  probe: Probe,
  signal: AbortSignal,
  check: () => Promise<void>,
): Promise<void> {
  const { clock, speed } = cluster;
  const period = Math.max(SHORTEST_PERIOD_MS, scaledSeconds(cluster, probe.periodSeconds ?? 10));
  // Until it is first ready a new container is looked at more often, so that a rollout need not wait out a period.
  const hurried = Math.min(period, Math.max(SHORTEST_PERIOD_MS, 1_000 * speed));
  try {
    await clock.sleep(scaledSeconds(cluster, probe.initialDelaySeconds ?? 0), signal);
    while (!signal.aborted) {
      await check();
      await clock.sleep(isReady() ? period : hurried, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
