import { dirname } from 'node:path';
import { isInForce } from '../core/acts.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';
import type { DataSettings } from '../core/settings.ts';
import type { PromotionStatus } from '../core/status.ts';
import type { IntentRecords, PromotionRecord } from './intent-records.ts';
import type { IntentDeps } from './intents.ts';
import { type HeldLease, holderOf, leaseApplication } from './lease.ts';

export type PromoteIntent = Extract<Intent, { kind: 'promote-writer' }>;

export interface Promoter {
  want(application: ApplicationName, intent: PromoteIntent | undefined): void;
  status(application: ApplicationName): PromotionStatus | undefined;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const RETRY_MS = 2_000;
/** How often it is looked whether a person has ordered another try. */
const LOOK_MS = 1_000;

/**
 * Runs `data.promote` once for each epoch, before the writer moves. It is on record before it begins: whoever comes
 * after a process that died meanwhile cannot know how far it came, so that a person has to look.
 */
export function createPromoter(deps: IntentDeps, records: IntentRecords): Promoter {
  const { clock, events, logger, engine } = deps;
  const wanted = new Map<ApplicationName, PromoteIntent>();
  const working = new Map<ApplicationName, Promise<void>>();
  const states = new Map<ApplicationName, PromotionStatus>();
  const closing = new AbortController();

  async function work(application: ApplicationName): Promise<void> {
    for (;;) {
      const intent = wanted.get(application);
      if (intent === undefined || closing.signal.aborted) break;
      try {
        if (!(await promote(application, intent))) await clock.sleep(LOOK_MS, closing.signal);
        else if (wanted.get(application)?.epoch === intent.epoch) wanted.delete(application);
      } catch (caught) {
        if (closing.signal.aborted) break;
        waiting(application, SluiceError.from(caught));
        await clock.sleep(RETRY_MS, closing.signal).catch(() => undefined);
      }
    }
    states.delete(application);
    working.delete(application);
  }

  function waiting(application: ApplicationName, error: SluiceError): void {
    const before = states.get(application);
    const { why = error.message } = error.details;
    if (before?.state !== 'waiting')
      logger.warn({ application, why: `${error.message}: ${why}` }, 'a promotion has to wait');
    const since = before?.state === 'waiting' ? before.since : clock.now();
    states.set(application, { state: 'waiting', since, why });
  }

  /** True when the epoch is promoted; false when it was tried and a person has to look. */
  async function promote(application: ApplicationName, intent: PromoteIntent): Promise<boolean> {
    const data = deps.settings.applications[application]?.data;
    if (data?.writes !== 'single') return true;
    const known = (await records.read(application)).promotion;
    if (known !== undefined && isAhead(known, intent)) {
      // Somebody else has gone on, and the engine must not go back.
      recall(application, known);
      return true;
    }
    if (known?.epoch === intent.epoch && known.state === 'done') {
      engine.promoted(application, intent.epoch);
      return true;
    }
    if (known?.epoch === intent.epoch && !wasOrdered(application, known)) {
      failed(application, known);
      return false;
    }
    const reason = `promoting ${intent.platform} to writer of ${application}, epoch ${intent.epoch}`;
    const holder = holderOf(deps.identity, reason, clock.now());
    const lease = await leaseApplication(deps.store, clock, application, holder, 'writer');
    try {
      return await underLease(application, intent, data, lease);
    } finally {
      await lease.release();
    }
  }

  async function underLease(
    application: ApplicationName,
    intent: PromoteIntent,
    data: DataSettings & { writes: 'single' },
    lease: HeldLease,
  ): Promise<boolean> {
    const { epoch, platform } = intent;
    const before = (await records.read(application)).promotion;
    // Between our look and our lease.
    if (before !== undefined && isAhead(before, intent)) return false;
    if (before?.epoch === epoch && (before.state === 'done' || !wasOrdered(application, before)))
      return false;
    const begunAt = clock.now();
    const note = (state: PromotionRecord['state'], error?: SluiceError): Promise<unknown> =>
      records.update(application, (record) => ({
        ...record,
        promotion: {
          ...{ epoch, platform, state, at: clock.now() },
          ...(error === undefined ? {} : { error: toWire(error) }),
        },
      }));
    await note('running');
    states.set(application, { state: 'running', since: begunAt });
    const error = await run(application, intent, data, before?.platform ?? data.writer);
    if (error === undefined && lease.valid()) {
      await note('done');
      const tookMs = clock.now() - begunAt;
      events.append({ type: 'writer.promoted', application, platform, epoch, tookMs });
      engine.promoted(application, epoch);
      return true;
    }
    const why = error ?? lostLease(application, intent);
    await note('failed', why);
    events.append({ type: 'writer.failed', application, platform, epoch, error: toWire(why) });
    return false;
  }

  async function run(
    application: ApplicationName,
    { platform, epoch }: PromoteIntent,
    { promote: command, promoteTimeoutMs = DEFAULT_TIMEOUT_MS }: DataSettings & { writes: 'single' },
    previous: string,
  ): Promise<SluiceError | undefined> {
    if (command === undefined) return undefined;
    const { file } = deps.settings;
    const outcome = await deps.runCommand({
      command,
      cwd: file === undefined ? '.' : dirname(file),
      env: {
        ...deps.env,
        SLUICE_APPLICATION: application,
        SLUICE_WRITER: platform,
        SLUICE_PREVIOUS_WRITER: previous,
        SLUICE_EPOCH: String(epoch),
      },
      timeoutMs: promoteTimeoutMs,
      onLine: (line) => logger.info({ application, platform, epoch }, `promote: ${line}`),
    });
    if (outcome.ok) return undefined;
    return new SluiceError('PROMOTION_FAILED', `${platform} could not be promoted to writer`, {
      where: application,
      why: `\`${command}\` ${outcome.why}`,
      remedy: remedyFor(application, platform),
      logTail: outcome.tail,
    });
  }

  /** Shows a promotion that only a person can have tried again. */
  function failed(application: ApplicationName, known: PromotionRecord): void {
    const state = known.state === 'failed' ? 'failed' : 'broken-off';
    const why = known.error?.why ?? 'its process ended in the middle of it: nobody knows how far it came';
    if (states.get(application)?.state === state) return;
    const remedy = remedyFor(application, known.platform);
    states.set(application, { state, since: known.at, why, remedy });
    if (state === 'failed') return;
    const { platform, epoch } = known;
    const what = `the promotion of ${platform} to writer broke off`;
    const error = toWire(new SluiceError('PROMOTION_FAILED', what, { where: application, why, remedy }));
    events.append({ type: 'writer.failed', application, platform, epoch, error });
  }

  /** `sluice failover` to the very platform, after it was tried. */
  function wasOrdered(application: ApplicationName, { platform, at }: PromotionRecord): boolean {
    return deps
      .acts()
      .some(
        (act) =>
          act.kind === 'failover' &&
          act.platform === platform &&
          (act.application === undefined || act.application === application) &&
          act.since > at &&
          isInForce(act, clock.now()),
      );
  }

  function recall(application: ApplicationName, { platform, epoch, state, at }: PromotionRecord): void {
    const ready = state === 'done';
    engine.recall(application, {
      writer: { platform, epoch, ready, since: at },
      ...(ready ? { promotedEpoch: epoch } : {}),
    });
  }

  return {
    want(application, intent) {
      if (intent === undefined) wanted.delete(application);
      else wanted.set(application, intent);
      if (intent === undefined || closing.signal.aborted || working.has(application)) return;
      working.set(application, work(application));
    },
    status: (application) => states.get(application),
    async close() {
      closing.abort(new Error('closed'));
      await Promise.all(working.values());
    },
  };
}

/** An epoch is given once: not to two platforms, and never again after a higher one. */
function isAhead(known: PromotionRecord, { epoch, platform }: PromoteIntent): boolean {
  return known.epoch > epoch || (known.epoch === epoch && known.platform !== platform);
}

function remedyFor(application: ApplicationName, platform: string): string {
  return `look at the data on ${platform}; then order another try: sluice failover ${platform} --app ${application}`;
}

function lostLease(application: ApplicationName, { platform }: PromoteIntent): SluiceError {
  return new SluiceError('PROMOTION_FAILED', `${platform} could not be promoted to writer`, {
    where: application,
    why: 'the lease was lost while the command ran, so that somebody else may have promoted too',
    remedy: remedyFor(application, platform),
  });
}
