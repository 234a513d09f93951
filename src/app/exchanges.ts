import type { DeploymentPhase, LoggedEvent } from '../core/events.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';

/** What serves is being replaced, or put back. In the others it is left alone, or serves already. */
const REPLACES: ReadonlySet<DeploymentPhase> = new Set(['applying', 'starting', 'verifying', 'takingBack']);

interface Told {
  exchange(application: ApplicationName, platform: PlatformName, isUnderWay: boolean): void;
}

/** Who judges must know where instances are being replaced: by deployments and restarts, as their events tell. */
export function tellExchanges(engine: Told): (event: LoggedEvent) => void {
  /** Verifying is told of what is only looked at, too. */
  const replaced = new Set<string>();

  function is(application: ApplicationName, platform: PlatformName, isUnderWay: boolean): void {
    const key = `${application} ${platform}`;
    if (isUnderWay) replaced.add(key);
    else replaced.delete(key);
    engine.exchange(application, platform, isUnderWay);
  }

  return function hear(event) {
    switch (event.type) {
      case 'deployment.progress': {
        const { application, platform, phase } = event;
        const goesOn = phase === 'verifying' && !replaced.has(`${application} ${platform}`);
        return is(application, platform, REPLACES.has(phase) && !goesOn);
      }
      case 'power.ordered':
        return event.act === 'restart' ? is(event.application, event.platform, true) : undefined;
      case 'power.finished':
      case 'power.failed':
        return event.act === 'restart' ? is(event.application, event.platform, false) : undefined;
      case 'deployment.finished':
        for (const key of replaced) {
          const [application = '', platform = ''] = key.split(' ');
          if (application === event.application) is(application, platform, false);
        }
        return;
      default:
        return;
    }
  };
}
