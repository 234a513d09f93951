import { concerns, isInForce, type OperatorAct } from '../core/acts.ts';
import type { Decision } from '../core/decision.ts';
import type { PlatformName } from '../core/ids.ts';
import type { PolicyState } from '../core/policy.ts';
import { type ApplicationSettings, SESSION_DRAIN_MS } from '../core/settings.ts';
import type { Verdict } from '../core/verdict.ts';

export interface Sessions {
  readonly keepsSessions: ReadonlySet<PlatformName>;
  readonly movesSessions: ReadonlySet<PlatformName>;
}

const NOBODY: ReadonlySet<PlatformName> = new Set();
const NO_SESSIONS: Sessions = { keepsSessions: NOBODY, movesSessions: NOBODY };

/**
 * Where clients of routes with `affinity` may stay: on platforms that serve or could, and on those being drained until
 * their deadline; never on one that is down, fenced, stopped, or runs a release that may not serve. What else moves them
 * the policy says.
 */
export function sessionsOf(
  { name, routes, policy }: Pick<ApplicationSettings, 'name' | 'routes' | 'policy'>,
  decision: Decision,
  known: {
    readonly verdictOf: (platform: PlatformName) => Verdict['state'] | undefined;
    readonly acts: readonly OperatorAct[];
    readonly memory: PolicyState['targets'];
  },
): Sessions {
  if (!routes.some(({ affinity }) => affinity === true)) return NO_SESSIONS;
  const acts = known.acts.filter((act) => isInForce(act, decision.at));
  const { drainMs = SESSION_DRAIN_MS, breakOn = [] } = policy.stickiness ?? {};

  function has(kind: OperatorAct['kind'], platform: PlatformName): OperatorAct | undefined {
    return acts.findLast((act) => act.kind === kind && concerns(act, name, platform));
  }
  /** Undefined: nobody wants it empty. */
  function drainedSince(platform: PlatformName): number | undefined {
    const ordered = has('drain', platform);
    if (ordered !== undefined) return ordered.since;
    const isOpen = policy.maintenance?.some(
      (entry) => entry.platform === platform && entry.window.isOpen(decision.at),
    );
    const last = known.memory[platform]?.membership;
    return isOpen === true && last?.kind === 'out' && last.drained === true ? last.since : undefined;
  }
  function mayStay(platform: PlatformName): boolean {
    const { state, share, origins } = decision.targets[platform] ?? { state: 'off', share: 0, origins: [] };
    if (origins.length === 0 || known.verdictOf(platform) === 'down') return false;
    if ((has('fence', platform) ?? has('stop', platform)) !== undefined) return false;
    const since = drainedSince(platform);
    if (since !== undefined && decision.at >= since + drainMs) return false;
    if (breakOn.includes('degraded') && known.verdictOf(platform) === 'degraded') return false;
    if (since !== undefined) return true;
    return state !== 'off' && !(breakOn.includes('moved') && share <= 0);
  }

  const platforms = Object.keys(decision.targets);
  const keepsSessions = new Set(platforms.filter(mayStay));
  // Who has a share keeps its clients unless something was said against it.
  const moved = breakOn.includes('degraded') ? platforms.filter((one) => !keepsSessions.has(one)) : [];
  return { keepsSessions, movesSessions: new Set(moved) };
}
