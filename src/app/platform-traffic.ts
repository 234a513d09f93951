import type { ApplicationName, PlatformName } from '../core/ids.ts';
import { originId } from '../core/ids.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { originsOf } from '../core/routing-table.ts';
import type { PlatformTraffic } from '../core/traffic.ts';
import type { Engine } from '../engine/engine.ts';
import type { Monitor } from '../health/monitor.ts';
import type { WorkerLink } from './worker-link.ts';

const LOOK_MS = 50;
const APPLY_MS = 5_000;
/** Survivors may have to grow first, and the policy goes step by step. */
const EMPTY_MS = 60_000;
const JOIN_MS = 30_000;

/** What stopping and restarting ask of the gateway, in terms of tables and of what workers say of them. */
export function createPlatformTraffic(
  engine: Engine,
  monitor: Pick<Monitor, 'observeNow'>,
  link: Pick<WorkerLink, 'applied' | 'drained'>,
  options: { readonly clock: Clock; readonly logger: Logger; readonly drainMs: () => number },
): PlatformTraffic {
  const { clock, logger } = options;

  function shareOf(application: ApplicationName, platform: PlatformName): number {
    const { platforms = [] } = engine.statusOf(application) ?? {};
    return platforms.find(({ name }) => name === platform)?.share ?? 0;
  }

  async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const deadline = clock.now() + withinMs;
    while (!holds()) {
      if (clock.now() >= deadline) return false;
      await clock.sleep(LOOK_MS);
    }
    return true;
  }

  async function drained(version: number, what: object): Promise<void> {
    if (await link.drained(version, options.drainMs())) return;
    logger.warn({ ...what, version }, 'some exchanges outlasted the drain; they will be cut');
  }

  return {
    async emptied(application, platform) {
      const isEmpty = await until(() => shareOf(application, platform) === 0, EMPTY_MS);
      if (isEmpty) await drained(engine.table.version, { application, platform });
      return isEmpty;
    },
    async leave(application, platform, urls) {
      if (urls.length === 0) return;
      const version = engine.retireOrigins(
        application,
        urls.map((url) => originId(platform, url)),
      );
      await drained(version, { application, platform, urls });
    },
    async join(application, platform, urls) {
      await monitor.observeNow(application, platform);
      const ids = urls.map((url) => originId(platform, url));
      const isIn = await until(() => {
        const there = originsOf(engine.table);
        return ids.every((id) => there.has(id) && engine.isUp(application, id));
      }, JOIN_MS);
      if (isIn) await link.applied(engine.table.version, APPLY_MS);
      return isIn;
    },
  };
}
