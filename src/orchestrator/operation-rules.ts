import { concerns, isInForce, type OperatorAct, stoppedBy } from '../core/acts.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, StateStore } from '../core/ports.ts';
import type { ApplicationSettings } from '../core/settings.ts';

interface Kept {
  readonly store: StateStore;
  readonly clock: Clock;
}

/** Orders of people that are in force, as the state has them. */
export async function actsIn({ store, clock }: Kept): Promise<readonly OperatorAct[]> {
  const acts: OperatorAct[] = [];
  for (const key of await store.keys('acts')) {
    // Written by ourselves; what was lifted meanwhile is gone.
    const act = (await store.get('acts', key)) as OperatorAct | undefined;
    if (act !== undefined && isInForce(act, clock.now())) acts.push(act);
  }
  return acts;
}

/** Nothing is written to a platform that a person has fenced, not even by force: it is unfenced first. */
export async function checkFences(
  kept: Kept,
  application: ApplicationSettings,
  platforms: readonly PlatformName[],
): Promise<void> {
  for (const act of await actsIn(kept)) {
    if (act.kind !== 'fence') continue;
    const platform = platforms.find((name) => concerns(act, application.name, name));
    if (platform === undefined) continue;
    throw new SluiceError('SAFETY_VETO', `${platform} is fenced`, {
      where: platform,
      why: orderedBy(act),
      remedy: `lift it first: sluice unfence ${platform}`,
    });
  }
}

/** What is stopped has no size: giving it one would start it on some platforms. */
export async function checkStops(
  kept: Kept,
  { name }: ApplicationSettings,
  platforms: readonly PlatformName[],
): Promise<void> {
  const acts = await actsIn(kept);
  for (const platform of platforms) {
    const act = stoppedBy(acts, name, platform);
    if (act === undefined) continue;
    throw new SluiceError('SAFETY_VETO', `${name} is stopped on ${platform}`, {
      where: platform,
      why: orderedBy(act),
      remedy: `start it first: sluice start ${name} --on ${platform}`,
    });
  }
}

export function orderedBy({ who, reason }: Pick<OperatorAct, 'who' | 'reason'>): string {
  return `${who} ordered it${reason === '' ? '' : `: ${reason}`}`;
}

export function audit(
  { events }: { readonly events: EventLog },
  act: string,
  { application, who, reason }: { readonly application: ApplicationName; who: string; reason: string },
  platforms: readonly PlatformName[],
): void {
  const subject = `${application} on ${platforms.join(', ')}`;
  events.append({ type: 'operator.act', act, who, subject, reason });
}
