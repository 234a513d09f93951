import { type ActKind, concerns, isInForce, type OperatorAct } from '../core/acts.ts';
import type { Acts, ActWish, LiftWish, Ordered } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Random, StateStore } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { Engine } from '../engine/engine.ts';
import { type StopOrders, stopAct } from '../orchestrator/stop-orders.ts';

const COLLECTION = 'acts';

export interface OperatorActsDeps {
  readonly settings: Pick<Settings, 'platforms' | 'applications'>;
  readonly store: StateStore;
  readonly engine: Pick<Engine, 'order' | 'verdicts' | 'unfreeze'>;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
}

export interface OperatorActs extends Acts {
  /** What was ordered before this process started. */
  restore(): Promise<void>;
  /** Acts from the break-glass file; they stand above all others. */
  breakGlass(acts: readonly OperatorAct[]): void;
  /** What does not run where, said by whoever stops and starts it. */
  readonly stops: StopOrders;
  /** Who is well, and not taken out by anybody. */
  serving(application: ApplicationName): readonly PlatformName[];
}

/** Orders of people: kept in the state, audited as events, obeyed by the policy until they expire or are lifted. */
export function createOperatorActs(deps: OperatorActsDeps): OperatorActs {
  const { settings, store, engine, events, clock, random } = deps;
  let kept: readonly OperatorAct[] = [];
  let glass: readonly OperatorAct[] = [];

  /** Break-glass last: of two acts of a kind the later one has the say. */
  function obey(): void {
    engine.order([...kept, ...glass]);
  }

  function check(wish: ActWish): void {
    const { platform, application } = wish;
    if (platform !== undefined && settings.platforms[platform] === undefined) {
      throw unknown('platform', platform, Object.keys(settings.platforms));
    }
    if (application !== undefined && settings.applications[application] === undefined) {
      throw unknown('application', application, Object.keys(settings.applications));
    }
    if (wish.force || (wish.kind !== 'drain' && wish.kind !== 'fence')) return;
    for (const name of application === undefined ? Object.keys(settings.applications) : [application]) {
      vetoLastOne(name, wish);
    }
  }

  function serving(application: ApplicationName): readonly PlatformName[] {
    const gone = [...kept, ...glass].filter(
      (act) =>
        (act.kind === 'drain' || act.kind === 'fence' || act.kind === 'stop') &&
        // A drill gives way.
        act.drill === undefined &&
        isInForce(act, clock.now()) &&
        concerns(act, application),
    );
    return Object.entries(engine.verdicts()[application] ?? {}).flatMap(([name, { state }]) => {
      const isWell = state === 'up' || state === 'degraded';
      return isWell && !gone.some((act) => concerns(act, application, name)) ? [name] : [];
    });
  }

  /** Never drain the last healthy platform: it would be an outage by order. */
  function vetoLastOne(application: string, { kind, platform }: ActWish): void {
    const verdicts = engine.verdicts()[application];
    if (verdicts === undefined || platform === undefined || verdicts[platform] === undefined) return;
    if (serving(application).some((name) => name !== platform)) return;
    const others = Object.entries(verdicts)
      .filter(([name]) => name !== platform)
      .map(([name, { state, cause }]) => `${name} is ${state}: ${cause}`);
    throw new SluiceError('SAFETY_VETO', `${platform} is the last platform that serves ${application}`, {
      where: platform,
      why: others.length === 0 ? 'there is no other' : others.join('; '),
      remedy: `bring another one up first, or ${kind} with --force`,
    });
  }

  /** One for each subject; obeyed once it is kept. */
  async function keepStop(act: OperatorAct): Promise<void> {
    await store.put(COLLECTION, act.id, act);
    kept = [...kept.filter(({ id }) => id !== act.id), act];
    obey();
  }

  return {
    serving,
    stops: {
      order: ({ emptying, ...wish }) => keepStop(stopAct(wish, emptying, clock.now())),
      async lift(application, platform) {
        const lifted = kept.filter(
          (act) => act.kind === 'stop' && act.application === application && act.platform === platform,
        );
        kept = kept.filter((act) => !lifted.includes(act));
        obey();
        for (const act of lifted) await store.delete(COLLECTION, act.id);
      },
    },
    async order(wish) {
      check(wish);
      const now = clock.now();
      const { kind, platform, application, weights, who, reason } = wish;
      const act: OperatorAct = {
        id: `a-${now.toString(36)}${Math.floor(random() * 46_656).toString(36)}`,
        ...{ kind, platform, application, who, reason },
        ...(weights === undefined ? {} : { weights }),
        ...(wish.drill === undefined ? {} : { drill: wish.drill }),
        ...(wish.atOnce === undefined ? {} : { atOnce: wish.atOnce }),
        since: now,
        until: wish.forMs === undefined ? undefined : now + wish.forMs,
      };
      kept = [...kept, act];
      // Giving back must not wait for a store that is away; everything else counts once it is kept.
      if (act.atOnce === true) obey();
      try {
        await store.put(COLLECTION, act.id, act);
      } catch (error) {
        if (act.atOnce !== true) kept = kept.filter((one) => one !== act);
        throw error;
      }
      events.append({ type: 'operator.act', act: kind, who, subject: subjectOf(wish), reason });
      obey();
      return ordered(act);
    },
    async lift(wish) {
      const { kind, platform, application, who, reason } = wish;
      const lifted = kept.filter((act) => isMeant(act, wish));
      kept = kept.filter((act) => !lifted.includes(act));
      if (kind === 'hold') {
        for (const name of application === undefined ? Object.keys(settings.applications) : [application]) {
          engine.unfreeze(name);
        }
      }
      events.append({
        type: 'operator.act',
        act: `un${kind}`,
        who,
        subject: subjectOf({ platform, application }),
        reason,
      });
      // Before it is written: a store that is away must not keep traffic from a platform.
      obey();
      for (const act of lifted) await store.delete(COLLECTION, act.id);
      return { lifted: lifted.length, replicas: 1 };
    },
    acts() {
      const now = clock.now();
      return [...kept, ...glass].filter((act) => isInForce(act, now));
    },
    async restore() {
      const found: OperatorAct[] = [];
      for (const key of await store.keys(COLLECTION)) {
        const act = await store.get(COLLECTION, key);
        if (!isAct(act)) continue;
        if (act.until !== undefined && act.until <= clock.now()) await store.delete(COLLECTION, key);
        else found.push(act);
      }
      kept = found.sort((a, b) => a.since - b.since);
      obey();
    },
    breakGlass(acts) {
      const before = JSON.stringify(glass);
      glass = acts;
      if (JSON.stringify(acts) === before) return;
      for (const { kind, who, platform, application, reason } of acts) {
        events.append({
          type: 'operator.act',
          act: `break-glass ${kind}`,
          who,
          subject: subjectOf({ platform, application }),
          reason,
        });
      }
      obey();
    },
  };
}

/** Exactly this subject; an `undrain` of a platform also ends what a drill ordered there for one application. */
function isMeant(act: OperatorAct, { kind, platform, application, drill }: LiftWish): boolean {
  if (act.kind !== kind || (drill !== undefined && act.drill !== drill)) return false;
  if (act.platform !== platform) return false;
  return act.application === application || (application === undefined && act.drill !== undefined);
}

function ordered(act: OperatorAct): Ordered {
  return { act, replicas: 1 };
}

function subjectOf({ platform, application }: Pick<ActWish, 'platform' | 'application'>): string {
  if (platform === undefined) return application ?? 'everything';
  return application === undefined ? platform : `${application} on ${platform}`;
}

const KINDS: ReadonlySet<string> = new Set<ActKind>([
  'drain',
  'failover',
  'failback',
  'hold',
  'fence',
  'weights',
  'stop',
]);

/** Of a document that we wrote ourselves, perhaps in another version. */
function isAct(value: unknown): value is OperatorAct {
  if (typeof value !== 'object' || value === null) return false;
  const act: Partial<Record<keyof OperatorAct, unknown>> = value;
  return (
    typeof act.id === 'string' &&
    typeof act.kind === 'string' &&
    KINDS.has(act.kind) &&
    typeof act.who === 'string' &&
    typeof act.since === 'number'
  );
}

function unknown(what: string, name: PlatformName, names: readonly string[]): SluiceError {
  return new SluiceError('USAGE', `there is no ${what} "${name}"`, { remedy: `one of: ${names.join(', ')}` });
}
