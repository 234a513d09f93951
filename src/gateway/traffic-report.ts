import type { ApplicationName } from '../core/ids.ts';
import type { TrafficSignal } from '../core/signals.ts';
import type { Lane } from './lane.ts';

/** What was tried on each origin since the last report; of those with nothing to tell there is no signal. */
export function trafficOf(
  lanes: Iterable<Lane>,
  comparing: ReadonlySet<ApplicationName>,
  window: Pick<TrafficSignal, 'at' | 'windowMs' | 'worker'>,
): readonly TrafficSignal[] {
  const signals: TrafficSignal[] = [];
  for (const lane of lanes) {
    const { application, id: origin, release, isTrial: trial } = lane;
    const { attempts, compared, ...outcomes } = lane.outcomes.take(comparing.has(application));
    const { inFlight } = lane.gate;
    if (attempts === 0 && inFlight === 0) continue;
    signals.push({
      ...{ kind: 'traffic', ...window, application, platform: lane.origin.platform, origin },
      ...{ ...outcomes, inFlight },
      ...(compared === undefined ? {} : { compared: { release, trial, ...compared } }),
    });
  }
  return signals;
}
