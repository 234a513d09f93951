import { concerns, isInForce, type OperatorAct } from '../core/acts.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { Engine } from '../engine/engine.ts';

/** Why nothing automatic may be written to a platform now, failovers apart; undefined: it may. */
export function automaticWrites({
  acts,
  clock,
  engine,
}: {
  readonly acts: () => readonly OperatorAct[];
  readonly clock: Clock;
  readonly engine: Pick<Engine, 'decision'>;
}): (application: ApplicationName, platform: PlatformName) => string | undefined {
  return function forbidden(application, platform) {
    const act = acts().find((one) => {
      const isMeant =
        one.kind === 'hold' || one.kind === 'stop' || (one.kind === 'fence' && one.platform !== undefined);
      return isMeant && isInForce(one, clock.now()) && concerns(one, application, platform);
    });
    if (act !== undefined) return `${act.who} ordered ${act.kind}`;
    const decision = engine.decision(application);
    if (decision?.frozen !== undefined) return `automation is frozen: ${decision.frozen.why}`;
    if (decision?.promoting !== undefined) return `${decision.promoting.platform} is being promoted`;
    // Replacing instances costs capacity for a moment, and a failover needs all there is.
    if (decision !== undefined && decision.mode !== 'normal') return 'too little can serve';
    if ((decision?.intents ?? []).some(({ kind }) => kind === 'scale')) return 'a failover is under way';
    return undefined;
  };
}
