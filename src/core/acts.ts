import type { ApplicationName, PlatformName } from './ids.ts';

/**
 * What a person has ordered and not taken back. Kept in the state, audited as events, and in force until it is
 * lifted or expires. Precedence: break-glass > operator > fence > safety > panic > automatic failover > …
 */
export interface OperatorAct {
  readonly id: string;
  readonly kind: ActKind;
  /** Undefined: every application there. */
  readonly application: ApplicationName | undefined;
  /** Undefined for `hold` of everything. */
  readonly platform: PlatformName | undefined;
  /** Only for `weights`. */
  readonly weights?: Readonly<Record<PlatformName, number>>;
  readonly who: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Undefined: until it is lifted. */
  readonly until: number | undefined;
  /** From the file on the gateway's own disk, when nothing else works. */
  readonly breakGlass?: boolean;
  /** The id of the drill in whose name it stands: it gives way to what people order and to real failovers. */
  readonly drill?: string;
  /** With `failback`: whole and at once, not step by step. Only drills say so. */
  readonly atOnce?: boolean;
  /** With `stop`: it still runs, and its traffic goes elsewhere first, as with `drain`. */
  readonly emptying?: boolean;
}

/**
 * `drain`: its traffic goes elsewhere, gracefully; it serves only when nobody else can. `failover`: everything to
 * this platform. `failback`: who waits there returns now, step by step. `hold`: nothing automatic moves traffic,
 * except off a target that is down. `fence`: nothing goes there, whatever happens; only unfencing or break-glass
 * lifts it. `weights`: these instead of the configured ones. `stop`: it does not run there, until it is started or
 * deployed again; nothing goes there, and nothing automatic writes there.
 */
export type ActKind = 'drain' | 'failover' | 'failback' | 'hold' | 'fence' | 'weights' | 'stop';

export function isInForce(act: OperatorAct, now: number): boolean {
  return act.since <= now && (act.until === undefined || now < act.until);
}

/** Why it does not run there; undefined: nobody has stopped it. */
export function stoppedBy(
  acts: readonly OperatorAct[],
  application: ApplicationName,
  platform: PlatformName,
): OperatorAct | undefined {
  return acts.findLast((act) => act.kind === 'stop' && concerns(act, application, platform));
}

export function concerns(act: OperatorAct, application: ApplicationName, platform?: PlatformName): boolean {
  if (act.application !== undefined && act.application !== application) return false;
  return platform === undefined || act.platform === undefined || act.platform === platform;
}
