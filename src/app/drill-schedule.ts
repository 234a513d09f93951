import type { Drills } from '../core/control.ts';
import type { DrillSettings } from '../core/drill.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { Dispose, Logger } from '../core/ports.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { schedule } from '../engine/schedule.ts';

interface DrillScheduleDeps {
  readonly begin: Drills['drill'];
  readonly schedule: typeof schedule;
  readonly logger: Logger;
}

/** Begins each configured drill when its time comes; what stands in its way is an event of the drill. */
export function armDrills(
  applications: readonly ApplicationSettings[],
  { begin, schedule, logger }: DrillScheduleDeps,
): readonly Dispose[] {
  async function fire(application: ApplicationName, { name, platform }: DrillSettings): Promise<void> {
    try {
      await begin({ application, platform, name, forMs: undefined, force: false, who: 'schedule' });
    } catch (caught) {
      const { message, details, code } = SluiceError.from(caught);
      if (code === 'SAFETY_VETO') logger.warn({ drill: name, why: details.why }, message);
      else logger.error({ drill: name, err: message }, 'a scheduled drill did not begin');
    }
  }

  const armed: Dispose[] = [];
  for (const { name, drills = [] } of applications) {
    for (const drill of drills) {
      if (drill.cron === undefined) continue;
      try {
        armed.push(schedule(drill.cron, () => fire(name, drill), logger, drill.timeZone));
      } catch (error) {
        logger.error({ drill: drill.name, err: String(error) }, 'a drill cannot be scheduled');
      }
    }
  }
  return armed;
}
