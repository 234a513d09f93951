import { stoppedBy } from '../core/acts.ts';
import { hasClass, platformError, SluiceError, toWire } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Outcome, Outcomes, PowerWish } from '../core/operations.ts';
import type { Clock, EventLog, StateStore } from '../core/ports.ts';
import type { Observation, Operation, PlatformProvider } from '../core/provider.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import type { SwitchPower } from '../core/switch-power.ts';
import type { PlatformTraffic } from '../core/traffic.ts';
import { awaitOperation } from './await-operation.ts';
import { type HeldLease, holderOf, type LeaseIdentity, leaseApplication } from './lease.ts';
import { actsIn, audit, checkFences, checkStops } from './operation-rules.ts';
import { restartOneByOne } from './restart-one-by-one.ts';
import { applicationNamed, platformsOf, quietContext } from './scope.ts';
import type { StopOrders } from './stop-orders.ts';

/** On top of what an instance is given to become ready: a node may have to be found, an image pulled. */
const GRACE_MS = 120_000;

export interface SwitchingDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly deploysTo: (platform: PlatformName) => boolean;
  readonly identity: LeaseIdentity;
  readonly traffic: PlatformTraffic;
  readonly stops: StopOrders;
  /** Who could take requests of it now; undefined: nobody looks, and the platforms are asked. */
  readonly serving?: ((application: ApplicationName) => readonly PlatformName[]) | undefined;
}

interface Act {
  readonly application: ApplicationSettings;
  readonly provider: PlatformProvider;
  readonly power: SwitchPower;
  readonly seen: Observation;
  readonly wish: PowerWish;
}

/** Stops, starts or restarts what is deployed: all under one lease, so that no deployment begins meanwhile. */
export async function switchPower(deps: SwitchingDeps, wish: PowerWish): Promise<Outcomes> {
  const application = applicationNamed(deps.settings, wish.application);
  const platforms = platformsOf(application, wish.platforms, deps.deploysTo);
  checkProcess(application, wish);
  const { clock, store } = deps;
  const reason = `${wish.act}: ${application.name} on ${platforms.join(', ')}`;
  const lease = await leaseApplication(
    store,
    clock,
    application.name,
    holderOf(deps.identity, reason, clock.now()),
  );
  try {
    // Under the lease: of two who stop one platform each, neither would be the last otherwise.
    await checkFences(deps, application, platforms);
    if (wish.act === 'restart') await checkStops(deps, application, platforms);
    if (wish.act === 'stop' && !wish.force) await vetoLastOne(deps, application, platforms);
    audit(deps, wish.act, wish, platforms);
    // What does not come up again here would not there: the others stay as they are.
    const inTurn = wish.act === 'restart' && !wish.atOnce;
    const outcomes: Record<PlatformName, Outcome> = {};
    let broken: PlatformName | undefined;
    const one = async (platform: PlatformName): Promise<void> => {
      const outcome =
        broken === undefined ? await on(deps, application, platform, wish, lease) : left(broken);
      outcomes[platform] = outcome;
      if (inTurn && outcome.error !== undefined) broken ??= platform;
    };
    if (inTurn) for (const platform of platforms) await one(platform);
    else await Promise.all(platforms.map(one));
    return Object.fromEntries(platforms.map((platform) => [platform, outcomes[platform]!]));
  } finally {
    await lease.release();
  }
}

function left(broken: PlatformName): Outcome {
  const error = new SluiceError('SAFETY_VETO', 'not begun', {
    why: `the restart failed on ${broken}`,
    remedy: 'see what is wrong there, then restart the others',
  });
  return { error: toWire(error) };
}

async function on(
  deps: SwitchingDeps,
  application: ApplicationSettings,
  platform: PlatformName,
  wish: PowerWish,
  lease: HeldLease,
): Promise<Outcome> {
  const { clock, events } = deps;
  const subject = {
    ...{ application: application.name, platform, act: wish.act },
    ...(wish.process === undefined ? {} : { process: wish.process }),
  };
  const startedAt = clock.now();
  try {
    const provider = deps.providers.get(platform);
    if (provider === undefined) throw new SluiceError('BUG', `no provider for ${platform}`);
    const seen = await provider.observe(
      quietContext(() => clock.now()),
      application.name,
    );
    const act: Act = { application, provider, power: powerOf(provider, application, seen), seen, wish };
    if (!(await lease.confirm())) {
      throw new SluiceError('LOCK_HELD', `the lease on ${application.name} was lost`, { where: platform });
    }
    const by = `${wish.who}${wish.reason === '' ? '' : `: ${wish.reason}`}`;
    events.append({ type: 'power.ordered', ...subject, reason: by });
    await ACTS[wish.act](deps, act);
    const tookMs = clock.now() - startedAt;
    events.append({ type: 'power.finished', ...subject, tookMs });
    return { tookMs };
  } catch (caught) {
    const error = toWire(SluiceError.from(caught));
    events.append({ type: 'power.failed', ...subject, error });
    return { error };
  }
}

const ACTS: Readonly<Record<PowerWish['act'], (deps: SwitchingDeps, act: Act) => Promise<void>>> = {
  stop,
  start,
  restart,
};

/** Make before break: its requests go elsewhere, what was under way ends, and only then does it stop. */
async function stop(deps: SwitchingDeps, act: Act): Promise<void> {
  const { stops, traffic } = deps;
  const { provider, power, wish } = act;
  const { platform } = provider;
  const { name } = act.application;
  const order = { application: name, platform, who: wish.who, reason: wish.reason };
  const before = stoppedBy(await actsIn(deps), name, platform);
  if (before === undefined || before.emptying === true) {
    await stops.order({ ...order, emptying: true });
    const isEmpty = await traffic.emptied(name, platform);
    if (!isEmpty && !wish.force) {
      await stops.lift(name, platform);
      throw new SluiceError('SAFETY_VETO', `${platform} still has traffic of ${name}`, {
        where: platform,
        why: 'nobody else takes all of it',
        remedy: `see \`sluice explain ${name}\`, or stop it with --force`,
      });
    }
    // Kept before the platform is told: whatever becomes of us, nobody sends to what may be stopped.
    await stops.order({ ...order, emptying: false });
    await traffic.emptied(name, platform);
  }
  try {
    // A deployment starts it again, too.
    await leaveToPlacing(deps, act);
    await follow(deps, act, await power.stop(contextOf(deps), name));
  } catch (error) {
    if (await stillRuns(deps, act)) await stops.lift(name, platform);
    throw error;
  }
}

async function start(deps: SwitchingDeps, act: Act): Promise<void> {
  const { name } = act.application;
  if (act.seen.desired === 0) await leaveToPlacing(deps, act);
  await follow(deps, act, await act.power.start(contextOf(deps), name));
  // Its share comes back by the policy's own steps, once it answers.
  await deps.stops.lift(name, act.provider.platform);
}

/** What follows traffic goes elsewhere when this stops: started here too, a process meant to run once would run twice. */
async function leaveToPlacing(deps: SwitchingDeps, { application, provider }: Act): Promise<void> {
  // Where nobody decides nobody would bring it back.
  if (deps.serving === undefined || provider.processes === undefined) return;
  for (const { name, runOn } of application.processes ?? []) {
    if (runOn === 'all') continue;
    await provider.processes.scale(contextOf(deps), application.name, name, 0).catch((error: unknown) => {
      // Configured since, and not deployed yet.
      if (!hasClass(error, 'notFound')) throw error;
    });
  }
}

async function restart(deps: SwitchingDeps, act: Act): Promise<void> {
  const { power, wish, application, seen, provider } = act;
  const others = Object.keys(seen.processes ?? {});
  if (seen.desired === 0 && (wish.process ?? 'web') === 'web') {
    throw platformError('conflict', provider.platform, `${application.name} does not run there`, {
      why: 'the platform says that it is stopped',
      remedy: `start it: sluice start ${application.name} --on ${provider.platform}`,
    });
  }
  const processes = wish.process === undefined ? ['web', ...others] : [wish.process];
  for (const process of processes) {
    if (process === 'web' && power.restartInstance !== undefined) {
      const settle = (operation: Operation): Promise<void> => follow(deps, act, operation);
      await restartOneByOne({ ...act, context: contextOf(deps), traffic: deps.traffic, settle });
    } else await follow(deps, act, await power.restart(contextOf(deps), application.name, process));
  }
}

/** Not to know is not to be sure: then nobody sends there. */
async function stillRuns(deps: SwitchingDeps, { provider, application }: Act): Promise<boolean> {
  const seen = await provider.observe(contextOf(deps), application.name).catch(() => undefined);
  return seen !== undefined && seen.desired > 0 && seen.instances.some(({ state }) => state === 'running');
}

function contextOf({ clock }: SwitchingDeps) {
  return quietContext(() => clock.now());
}

async function follow(
  { clock }: SwitchingDeps,
  { provider, application, seen }: Act,
  operation: Operation,
): Promise<void> {
  await awaitOperation(operation, {
    ...{ clock, provider, context: quietContext(() => clock.now()) },
    deadlineMs: application.startTimeoutMs * (seen.desired + 1) + GRACE_MS,
    // Nothing to keep: each of these acts can be repeated, and finds how far it is.
    store: async () => undefined,
    onProgress: () => undefined,
  });
}

function powerOf(
  { power, platform }: PlatformProvider,
  { name }: ApplicationSettings,
  seen: Observation,
): SwitchPower {
  if (!seen.exists) {
    throw platformError('notFound', platform, `${name} does not run there`, { remedy: 'deploy it first' });
  }
  if (power !== undefined) return power;
  throw platformError('unsupported', platform, `${platform} cannot stop, start or restart applications`, {
    remedy: 'do it there, with the means of that platform',
  });
}

function checkProcess({ name, processes = [] }: ApplicationSettings, { act, process }: PowerWish): void {
  if (process === undefined) return;
  if (act !== 'restart') {
    throw new SluiceError('USAGE', `${act} takes no single process`, {
      why: 'what runs beside web stops and starts with it',
      remedy: `leave out --process, or set \`instances\` or \`runOn\` of ${process}`,
    });
  }
  const all = ['web', ...processes.map((one) => one.name)];
  if (all.includes(process)) return;
  throw new SluiceError('USAGE', `${name} has no process "${process}"`, {
    remedy: `name one of: ${all.join(', ')}`,
  });
}

/** Somebody else must be there to take its requests. */
async function vetoLastOne(
  deps: SwitchingDeps,
  application: ApplicationSettings,
  platforms: readonly PlatformName[],
): Promise<void> {
  const serving = deps.serving?.(application.name) ?? (await askedServing(deps, application));
  if (serving.some((platform) => !platforms.includes(platform))) return;
  const all = application.targets.map(({ platform }) => platform);
  const others = all.filter((platform) => !platforms.includes(platform));
  throw new SluiceError('SAFETY_VETO', `nobody would serve ${application.name} any more`, {
    where: platforms.join(', '),
    why: others.length === 0 ? 'it runs nowhere else' : `${others.join(', ')} cannot serve it now`,
    remedy: 'bring another platform up first, or stop it with --force',
  });
}

/** Without anybody who probes: those whose platform says that it runs. */
async function askedServing(
  deps: SwitchingDeps,
  application: ApplicationSettings,
): Promise<readonly PlatformName[]> {
  const acts = await actsIn(deps);
  const found = await Promise.all(
    application.targets.map(async ({ platform }) => {
      const isOut = acts.some(
        ({ kind, application: of, platform: on }) =>
          (kind === 'drain' || kind === 'fence' || kind === 'stop') &&
          (of === undefined || of === application.name) &&
          on === platform,
      );
      const provider = deps.providers.get(platform);
      if (isOut || provider === undefined) return [];
      const seen = await provider.observe(contextOf(deps), application.name).catch(() => undefined);
      const isThere = seen?.instances.some(
        ({ state, routable }) => state === 'running' && routable !== false,
      );
      // Static origins: nobody counts instances there.
      const isStatic = !deps.deploysTo(platform) && (seen?.origins.length ?? 0) > 0;
      return isThere === true || isStatic ? [platform] : [];
    }),
  );
  return found.flat();
}
