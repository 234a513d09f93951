import { DEFAULT_HEALTH } from '../../../src/core/settings.ts';
import { createMonitor } from '../../../src/health/monitor.ts';
import { createProbe } from '../../../src/health/probes.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { createFleet } from './fleet.ts';
import type { ProbedSample, ProberOrder } from './probing.ts';

/** Monitor and engine as the controller puts them together, over targets that answer. */
process.on('disconnect', () => process.exit(0));
process.once('message', async (message) => {
  // The bench is the only one that speaks to us.
  const { ports, applications, platforms, seconds } = message as ProberOrder;
  const health = { ...DEFAULT_HEALTH, path: '/healthz', timeoutMs: 5_000, release: { header: 'x-release' } };
  const { engine } = createFleet({
    ...{ applications, platforms, health, clock: systemClock },
    url: (application, platform) =>
      `http://127.0.0.1:${ports[(application * platforms + platform) % ports.length]}`,
  });
  const monitor = createMonitor({
    ...{ clock: systemClock, random: systemRandom, logger: silentLogger, platforms: [] },
    probe: createProbe({ clock: systemClock }),
  });
  const counts = { http: 0, other: 0, failed: 0 };
  monitor.onSignal((signal) => {
    engine.accept(signal);
    if (signal.kind !== 'probe') return;
    if (signal.probe === 'http') counts.http += 1;
    else counts.other += 1;
    if (!signal.ok) counts.failed += 1;
  });
  engine.onWatched((origins) => monitor.watch(origins));
  await engine.start();
  await monitor.start();
  // All begin in one moment; after some seconds they are spread.
  await systemClock.sleep(WARM_UP_MS);
  Object.assign(counts, { http: 0, other: 0, failed: 0 });
  const cpu = process.cpuUsage();
  const begun = systemClock.monotonic();
  await systemClock.sleep(seconds * 1_000);
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = systemClock.monotonic() - begun;
  const sample: ProbedSample = {
    cores: (user + system) / 1_000 / wallMs,
    healthPerSecond: (counts.http * 1_000) / wallMs,
    otherPerSecond: (counts.other * 1_000) / wallMs,
    failed: counts.failed,
  };
  process.send?.(sample, () => process.exit(0));
});
process.send?.('ready');

const WARM_UP_MS = 5_000;
