import { hasClass, platformError, SluiceError, toWire } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';
import type { Observation, Operation, PlatformProvider } from '../core/provider.ts';
import { RETRYABLE } from '../core/provider.ts';
import type { ScalingStatus } from '../core/status.ts';
import { awaitOperation } from './await-operation.ts';
import type { IntentRecords } from './intent-records.ts';
import type { IntentDeps } from './intents.ts';
import { holderOf, leaseApplication } from './lease.ts';
import { quietContext } from './scope.ts';
import { configuredOn, sizeOn } from './sizes.ts';

export type ScaleIntent = Extract<Intent, { kind: 'scale' }>;

export interface Scaler {
  /** All that is wanted of this application now. */
  want(application: ApplicationName, intents: readonly ScaleIntent[]): void;
  status(application: ApplicationName, platform: PlatformName): ScalingStatus | undefined;
  close(): void;
}

/** A deployment goes first; it may be over in a moment. */
const LEASE_RETRY_MS = 2_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;
/** A platform that said no says so again until a person does something. */
const REFUSED_RETRY_MS = 5 * 60_000;
/** Between two orders to one platform: demand goes up and down, and each order costs it work. */
const ORDER_GAP_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
/** The engine gathers for a moment before it decides. */
const SETTLE_MS = 200;
/** These may be over by themselves, besides those that every caller tries again. */
const PASSING = ['conflict', 'startFailed', 'notFound'] as const;
/** On top of what an instance is given to become ready: a node may have to be found, an image pulled. */
const GRACE_MS = 120_000;

export function createScaler(deps: IntentDeps, records: IntentRecords): Scaler {
  const orders = new Map<string, ScaleOrder>();
  const inTurn = turns();
  let closed = false;

  function orderFor(application: ApplicationName, platform: PlatformName): ScaleOrder {
    const key = `${application} ${platform}`;
    const order = orders.get(key) ?? new ScaleOrder(application, platform, deps, records, inTurn);
    orders.set(key, order);
    return order;
  }

  return {
    want(application, intents) {
      if (closed) return;
      for (const intent of intents) orderFor(application, intent.platform).want(intent);
      for (const order of orders.values()) {
        const isMeant = intents.some(({ platform }) => platform === order.platform);
        if (order.application === application && !isMeant) order.want(undefined);
      }
    },
    status: (application, platform) => orders.get(`${application} ${platform}`)?.status,
    close() {
      closed = true;
      for (const order of orders.values()) order.close();
    },
  };
}

type InTurn = <T>(platform: PlatformName, work: () => Promise<T>) => Promise<T>;

/** A platform gets one order at a time, whatever application it is for. */
function turns(): InTurn {
  const last = new Map<PlatformName, Promise<unknown>>();
  return function inTurn(platform, work) {
    const next = (last.get(platform) ?? Promise.resolve()).then(work);
    last.set(
      platform,
      next.catch(() => undefined),
    );
    return next;
  };
}

class Superseded extends Error {}

/** What one platform is to run of one application: ordered once, tried again while it is wanted, watched until it is there. */
class ScaleOrder {
  status: ScalingStatus | undefined;
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  readonly #deps: IntentDeps;
  readonly #records: IntentRecords;
  readonly #inTurn: InTurn;
  #wanted: ScaleIntent | undefined;
  #carrying: ScaleIntent | undefined;
  #working = false;
  #closed = false;
  /** Ends what is waited for: a pause, or instances that are coming up. */
  #interrupt = new AbortController();
  #failures = 0;
  #orderedAt = Number.NEGATIVE_INFINITY;
  /** Said once, however often it is tried. */
  #said = '';
  #refused: { readonly to: number; readonly until: number; readonly why: string } | undefined;

  constructor(
    application: ApplicationName,
    platform: PlatformName,
    deps: IntentDeps,
    records: IntentRecords,
    inTurn: InTurn,
  ) {
    this.application = application;
    this.platform = platform;
    this.#deps = deps;
    this.#records = records;
    this.#inTurn = inTurn;
  }

  want(intent: ScaleIntent | undefined): void {
    this.#wanted = intent;
    if (this.#working && this.#isOutdated(intent)) this.#interrupt.abort(new Superseded());
    if (!this.#working && intent !== undefined) void this.#work();
  }

  /** What is waited for has lost its sense. What is being asked of the platform right now is never cut off. */
  #isOutdated(intent: ScaleIntent | undefined): boolean {
    switch (this.status?.state) {
      case 'growing':
        // Nobody asks for it any more because it is being done.
        return intent !== undefined && intent.instances !== this.#carrying?.instances;
      case 'refused':
        return intent === undefined || intent.instances < (this.#refused?.to ?? 0);
      case 'waiting':
        return intent === undefined;
      case undefined:
        return false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#interrupt.abort(new Superseded());
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#wanted !== undefined && !this.#closed) {
      const wish = this.#wanted;
      this.#carrying = wish;
      this.#interrupt = new AbortController();
      try {
        await this.#carryOut(wish);
        this.#failures = 0;
        this.#said = '';
        // The wish ends with the next decision; until then it is fulfilled.
        if (this.#wanted?.instances === wish.instances) this.#wanted = undefined;
      } catch (caught) {
        if (!(caught instanceof Superseded)) await this.#failed(wish, SluiceError.from(caught));
      }
    }
    this.status = undefined;
    this.#working = false;
  }

  async #carryOut(wish: ScaleIntent): Promise<void> {
    const { clock } = this.#deps;
    await this.#stillRefused(wish);
    const gap = this.#orderedAt + ORDER_GAP_MS - clock.now();
    if (gap > 0) await this.#pause(wish.instances, 'waiting', gap, 'it was scaled a moment ago');
    this.status = undefined;
    const seen = await this.#see();
    // What was just read may have ended the wish: it is decided anew from it.
    await clock.sleep(SETTLE_MS);
    this.#checkStillWanted(wish);
    const to = this.#within(seen, wish.instances);
    if (seen.desired !== to) {
      const operation = await this.#order(wish, seen, to);
      this.status = { to, state: 'growing', since: this.#orderedAt };
      await this.#untilThere(operation, to);
      if (to > seen.desired) await this.#measured(to, clock.now() - this.#orderedAt);
      // Not all that is wanted: the next look says what is in the way.
      if (to < wish.instances) throw new Superseded();
    } else if (to < wish.instances) throw this.#noRoom(seen, wish.instances);
    await this.#forgetOrigin(to);
  }

  #checkStillWanted({ instances }: ScaleIntent): void {
    if (this.#closed || this.#wanted?.instances !== instances) throw new Superseded();
  }

  /**
   * What the platform itself says it has room for is asked for first: some instances are better than a refusal. And
   * back it goes no further than to what is configured now, which may be more than it was before it grew.
   */
  #within({ desired, quotaHeadroom }: Observation, wanted: number): number {
    if (wanted <= desired) return Math.min(desired, Math.max(wanted, this.#configured()));
    if (quotaHeadroom === undefined) return wanted;
    return Math.min(wanted, desired + Math.max(0, quotaHeadroom));
  }

  #configured(): number {
    const application = this.#deps.settings.applications[this.application];
    if (application === undefined) return 1;
    const said = sizeOn(
      this.#records.known(this.application),
      application,
      this.platform,
      this.#deps.clock.now(),
    );
    return said?.instances ?? configuredOn(application, this.platform);
  }

  #noRoom({ desired }: Observation, wanted: number): SluiceError {
    const what = `${this.platform} has no room for ${wanted} instances of ${this.application}`;
    return platformError('quota', this.platform, what, {
      why: `its quota ends at the ${desired} it has`,
      remedy: 'raise the quota there, or lower `maxInstances` of the target',
    });
  }

  async #see(): Promise<Observation> {
    const { observation, apiError } = await this.#deps.observe(this.application, this.platform);
    if (observation !== undefined) return observation;
    const what = `${this.platform} cannot be scaled: its API does not answer`;
    throw platformError('unavailable', this.platform, what, { why: apiError ?? 'no answer' });
  }

  /** The lease is held for the order alone: instances that come up need nobody's, and a deployment need not wait. */
  async #order(wish: ScaleIntent, seen: Observation, to: number): Promise<Operation> {
    const { clock, store, events, identity } = this.#deps;
    const { reason } = wish;
    return this.#inTurn(this.platform, async () => {
      const holder = holderOf(identity, `scaling ${this.platform} to ${to} instances`, clock.now());
      const lease = await leaseApplication(store, clock, this.application, holder);
      try {
        // It may have taken a while until it was our turn.
        this.#checkStillWanted(wish);
        await this.#keepOrigin(seen.desired, to);
        if (!lease.valid()) throw new Superseded();
        this.#orderedAt = clock.now();
        const context = quietContext(() => clock.now());
        const operation = await this.#provider().scale(context, this.application, to);
        const [application, platform] = [this.application, this.platform];
        events.append({ type: 'scale.ordered', application, platform, from: seen.desired, to, reason });
        return operation;
      } finally {
        await lease.release();
      }
    });
  }

  /** Until the platform says that it is done, and then until as many instances serve as were ordered. */
  async #untilThere(operation: Operation, to: number): Promise<void> {
    const { clock, settings } = this.#deps;
    const startMs = settings.applications[this.application]?.startTimeoutMs ?? 0;
    const deadlineMs = startMs + GRACE_MS;
    const { signal } = this.#interrupt;
    const over = new AbortController();
    const options = {
      ...{ clock, provider: this.#provider(), deadlineMs },
      context: { ...quietContext(() => clock.now()), signal },
      store: async () => undefined,
      onProgress: () => undefined,
    };
    const done = awaitOperation(operation, options);
    // Heard below; until then nobody must call it unhandled.
    done.catch(() => undefined);
    try {
      await Promise.race([
        Promise.all([done, this.#serving(to, deadlineMs, over.signal)]),
        rejection(signal),
      ]);
    } finally {
      over.abort(new Superseded());
    }
  }

  /** Reading it here tells the engine too: traffic follows with each instance, not with the last one. */
  async #serving(to: number, deadlineMs: number, signal: AbortSignal): Promise<void> {
    const { clock, observe } = this.#deps;
    const deadline = clock.now() + deadlineMs;
    for (;;) {
      const { observation } = await observe(this.application, this.platform);
      signal.throwIfAborted();
      if (observation !== undefined) {
        if (observation.desired !== to) throw new Superseded();
        const running = observation.instances.filter((i) => i.state === 'running' && i.routable !== false);
        if (running.length >= to) return;
        if (clock.now() > deadline) throw this.#late(to, running.length);
      }
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  #late(to: number, running: number): SluiceError {
    const what = `${this.platform} runs ${running} of ${to} instances of ${this.application}`;
    return platformError('startFailed', this.platform, what, {
      why: 'the others did not become ready in time',
      remedy: 'look at their logs, and whether the platform has room for them',
    });
  }

  async #keepOrigin(from: number, to: number): Promise<void> {
    const platform = this.platform;
    await this.#records.update(this.application, (record) => {
      const before = record.scaled[platform]?.from;
      if (to <= (before ?? from)) return record;
      return { ...record, scaled: { ...record.scaled, [platform]: { from: before ?? from, to } } };
    });
  }

  /** It is back where it was. */
  async #forgetOrigin(to: number): Promise<void> {
    const { from } = this.#records.known(this.application).scaled[this.platform] ?? {};
    if (from === undefined || to > from) return;
    await this.#records.update(this.application, (record) => {
      const { [this.platform]: _, ...scaled } = record.scaled;
      return { ...record, scaled };
    });
  }

  async #measured(to: number, tookMs: number): Promise<void> {
    const { events, engine, clock, logger } = this.#deps;
    const [application, platform] = [this.application, this.platform];
    events.append({ type: 'scale.finished', application, platform, to, tookMs });
    engine.capacityTook(application, platform, tookMs);
    const time = { ms: tookMs, instances: to, at: clock.now() };
    await this.#records
      .update(application, (record) => ({
        ...record,
        timesToCapacity: { ...record.timesToCapacity, [platform]: time },
      }))
      .catch((error: unknown) =>
        logger.warn({ application, platform, error: String(error) }, 'a time to capacity could not be kept'),
      );
  }

  async #failed(wish: ScaleIntent, error: SluiceError): Promise<void> {
    const { clock } = this.#deps;
    const to = wish.instances;
    const held = error.code === 'LOCK_HELD';
    const own = error.class === undefined;
    if (error.code === 'BUG') {
      const [application, platform] = [this.application, this.platform];
      this.#deps.logger.error({ application, platform, err: error.details.cause }, error.message);
    }
    if (held || own || hasClass(error, ...RETRYABLE, ...PASSING)) {
      this.#failures += 1;
      const later = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
      this.#say('scale.waiting', to, error);
      if (this.#wanted === undefined) return;
      await this.#pause(to, 'waiting', held ? LEASE_RETRY_MS : later, whyOf(error)).catch(() => undefined);
      return;
    }
    this.#refused = { to, until: clock.now() + REFUSED_RETRY_MS, why: whyOf(error) };
    this.#say('scale.refused', to, error);
  }

  /** Demand goes up and down by an instance, and the answer would be the same. */
  async #stillRefused({ instances }: ScaleIntent): Promise<void> {
    const refused = this.#refused;
    if (refused === undefined) return;
    const left = refused.until - this.#deps.clock.now();
    if (left > 0 && instances >= refused.to) await this.#pause(instances, 'refused', left, refused.why);
    this.#refused = undefined;
  }

  #say(type: 'scale.waiting' | 'scale.refused', to: number, error: SluiceError): void {
    const what = `${type} ${error.code}`;
    if (this.#said === what) return;
    this.#said = what;
    const [application, platform] = [this.application, this.platform];
    this.#deps.events.append({ type, application, platform, to, error: toWire(error) });
  }

  async #pause(to: number, state: 'waiting' | 'refused', ms: number, why: string): Promise<void> {
    const { clock } = this.#deps;
    const now = clock.now();
    const since = this.status?.state === state ? this.status.since : now;
    this.status = { to, state, since, why, retryAt: now + ms };
    await clock.sleep(ms, this.#interrupt.signal);
  }

  #provider(): PlatformProvider {
    const provider = this.#deps.providers.get(this.platform);
    if (provider !== undefined) return provider;
    throw platformError(
      'unsupported',
      this.platform,
      `${this.platform} is not in the configuration any more`,
    );
  }
}

function whyOf({ message, details }: SluiceError): string {
  return details.why === undefined ? message : `${message}: ${details.why}`;
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
