import { concerns, isInForce, type OperatorAct } from '../core/acts.ts';
import type { Decision } from '../core/decision.ts';
import type { PlatformName } from '../core/ids.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { Verdict } from '../core/verdict.ts';

/** How long clients with a session may stay on a platform after somebody ordered it drained. */
const SESSION_DRAIN_MS = 600_000;

/**
 * The platforms where clients of routes with `affinity` may stay: those that serve or could, and those being drained
 * until their deadline; never one that is down, fenced, or runs a release that may not serve.
 */
export function platformsKeepingSessions(
  { name, routes }: Pick<ApplicationSettings, 'name' | 'routes'>,
  decision: Decision,
  known: {
    readonly verdictOf: (platform: PlatformName) => Verdict['state'] | undefined;
    readonly acts: readonly OperatorAct[];
  },
): ReadonlySet<PlatformName> {
  if (!routes.some(({ affinity }) => affinity === true)) return new Set();
  const acts = known.acts.filter((act) => isInForce(act, decision.at));

  function has(kind: OperatorAct['kind'], platform: PlatformName): OperatorAct | undefined {
    return acts.findLast((act) => act.kind === kind && concerns(act, name, platform));
  }

  const kept = Object.entries(decision.targets).filter(([platform, { state, origins }]) => {
    if (origins.length === 0 || known.verdictOf(platform) === 'down') return false;
    if ((has('fence', platform) ?? has('stop', platform)) !== undefined) return false;
    const drain = has('drain', platform);
    return drain === undefined ? state !== 'off' : decision.at < drain.since + SESSION_DRAIN_MS;
  });
  return new Set(kept.map(([platform]) => platform));
}
