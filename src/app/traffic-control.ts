import type { ApplicationName, ReleaseId } from '../core/ids.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { TrafficControl } from '../core/traffic.ts';
import type { Engine } from '../engine/engine.ts';
import type { Monitor } from '../health/monitor.ts';
import type { WorkerLink } from './worker-link.ts';

const APPLY_MS = 5_000;
const INTRODUCE_MS = 15_000;

/** Make before break (invariant 8), in terms of tables and of what workers say of them. */
export function createTrafficControl(
  engine: Engine,
  monitor: Monitor,
  link: WorkerLink,
  options: { readonly clock: Clock; readonly logger: Logger; readonly drainMs: () => number },
): TrafficControl {
  const { clock, logger } = options;

  /** A trial that has just come up is not known yet. An API that does not answer keeps nobody waiting but itself. */
  async function readTrials(application: ApplicationName, release: ReleaseId): Promise<void> {
    const known = engine.statusOf(application)?.platforms ?? [];
    const reads = known
      .filter(({ share, trial }) => share > 0 && trial?.release.id !== release)
      .map(({ name }) => monitor.observeNow(application, name));
    await Promise.allSettled(reads);
  }

  /** One that never does keeps nobody waiting for ever: its platform's share stays with its own origins. */
  async function trialsAnswer(application: ApplicationName, release: ReleaseId): Promise<void> {
    const deadline = clock.now() + INTRODUCE_MS;
    for (;;) {
      const platforms = engine.awaitedTrials(application, release);
      if (platforms.length === 0) return;
      if (clock.now() > deadline) {
        logger.warn({ application, release, platforms }, 'a trial does not answer and gets no traffic');
        return;
      }
      await clock.sleep(50);
    }
  }

  return {
    allowReleases: (application, releases) => engine.allowReleases(application, releases),

    async introduce(application, platform, release) {
      const deadline = clock.now() + INTRODUCE_MS;
      await monitor.observeNow(application, platform);
      // The engine lets it in once its own probes have seen it answer.
      while (!engine.offers(application, platform, release)) {
        if (clock.now() > deadline) {
          // Perhaps it is held down for good reasons; it serves as soon as these are gone.
          logger.warn({ application, platform, release }, 'the release is not in the routing table yet');
          return;
        }
        await clock.sleep(50);
      }
      await link.applied(engine.table.version, APPLY_MS);
    },

    async withdraw(application, platform, release) {
      const version = engine.withdrawRelease(application, platform, release);
      const drained = await link.drained(version, options.drainMs());
      if (!drained)
        logger.warn({ platform, release, version }, 'some exchanges outlasted the drain; they will be cut');
    },

    async split(application, release, part) {
      if (part <= 0) {
        const version = engine.split(application, release, part);
        if (!(await link.drained(version, options.drainMs())))
          logger.warn({ application, release, version }, 'some exchanges on a trial outlasted the drain');
        return;
      }
      // All at once: a platform whose trial is not known to answer yet would follow the others a moment later.
      await readTrials(application, release);
      await trialsAnswer(application, release);
      engine.split(application, release, part);
      await link.applied(engine.table.version, APPLY_MS);
    },

    outcomes: (application, since) => engine.outcomes(application, since),
  };
}
