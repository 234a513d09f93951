import type { Candidate } from './attempts.ts';
import { ejectsAtOnce } from './ejection.ts';
import { CLOSED, HALF_OPEN } from './gate.ts';
import type { Lane } from './lane.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { Pipeline } from './pipeline.ts';
import type { HeadMeaning } from './router-errors.ts';
import type { CompiledTarget } from './routes.ts';
import type { AttemptRequest, Failure, Upstream, UpstreamHandler } from './wire.ts';

/** Latencies below this raise no limit. */
const LATE_MS = 20;

/** One try of an exchange on one lane: what it holds there, and what it tells about the lane's health. */
export class Attempt {
  readonly lane: Lane;
  readonly target: CompiledTarget;
  readonly upstream: Upstream;
  readonly #pipeline: Pipeline;
  readonly #trial: boolean;
  readonly #isFirst: boolean;
  readonly startedAt: number;
  /** 0 until the whole request has been sent. */
  #sentAt = 0;
  /** In stall limits of silence: how much of it makes the origin suspicious. */
  #patience = 1;
  /** An answer began that was none of a failure; what it proves depends on its end. */
  #promises = false;
  #left = false;
  #isCounted = false;

  constructor(
    pipeline: Pipeline,
    { lane, target }: Candidate,
    request: Pick<AttemptRequest, 'head' | 'stamp' | 'fresh' | 'once'> & { readonly isFirst: boolean },
    handler: UpstreamHandler,
  ) {
    this.#pipeline = pipeline;
    this.lane = lane;
    this.target = target;
    this.#trial = lane.gate.enter();
    this.#isFirst = request.isFirst;
    this.startedAt = pipeline.now();
    const { head, stamp, fresh, once } = request;
    this.upstream = pipeline.wire.attempt(
      { origin: lane.origin.wire, head, edit: target.edit, stamp, fresh, once },
      handler,
    );
  }

  /** The whole request is on its way. */
  get isSent(): boolean {
    return this.#sentAt > 0;
  }

  /** The gate has been closed behind us: whoever leaves now is evacuated. */
  get isEjected(): boolean {
    return this.lane.gate.state !== CLOSED;
  }

  /** The same again on a fresh connection: as what it is now, a trial too. */
  mayRepeat(replayable: boolean): boolean {
    const { gate } = this.lane;
    if (this.#trial && gate.state === HALF_OPEN) return true;
    return gate.admits(this.#pipeline.now(), replayable, 1) !== 'no';
  }

  sent(): void {
    this.#sentAt = this.#pipeline.now();
  }

  /** An answer begins. A gateway error of the platform is a failure of the origin, whatever becomes of the request. */
  judge(status: number, meaning: HeadMeaning): void {
    const now = this.#pipeline.now();
    const latencyMs = now - this.startedAt;
    // Looked at only where it could matter: most answers come sooner than anybody can be late.
    const ownMs = latencyMs < LATE_MS ? 0 : this.#pipeline.lateness.within(this.startedAt, now);
    this.lane.headCame(now, latencyMs, ownMs);
    if (status >= 500 || meaning !== 'answer') this.blame(meaning !== 'answer');
    else if (!this.#trial) this.#promises = true;
    else if (this.lane.gate.success(now, true)) this.#pipeline.readmitted(this.lane);
  }

  /** Counts a failure; `hard` when the application itself did not answer. */
  blame(hard: boolean): void {
    const { gate } = this.lane;
    this.#promises = false;
    if (this.#trial && gate.state === HALF_OPEN) {
      this.#pipeline.eject(this.lane, 'consecutive-failures');
      return;
    }
    const reason = gate.failure(this.#pipeline.now(), hard);
    if (reason !== undefined) this.#pipeline.eject(this.lane, reason);
  }

  /** There will be no answer. Counts it against whoever is to blame, and says what it was. */
  failed(failure: Failure): OutcomeClass | undefined {
    // A kept connection that was closed under the request says nothing of the origin: its owner only tidied up.
    if (failure.stale || failure.class === 'unsendable') return undefined;
    const reason = ejectsAtOnce(failure.class);
    if (reason === undefined) this.blame(true);
    else this.#pipeline.eject(this.lane, reason);
    return outcomeOf(failure);
  }

  /** Milliseconds the origin has been owing us a head. */
  waited(now: number): number {
    return this.#sentAt === 0 ? 0 : now - this.#sentAt;
  }

  /**
   * Asks whether the origin has stalled, when it owes us a head and has given nobody one for too long. Again after
   * twice the silence, for it may stall later. Uploads still under way never do.
   */
  suspect(now: number, host: string): void {
    const { lane } = this;
    if (this.#sentAt === 0) return;
    const silence = now - Math.max(this.#sentAt, lane.origin.lastHeadAt);
    if (silence < lane.stallAfterMs * this.#patience) return;
    if (this.#pipeline.stall.suspect(lane.origin, this.target.edit.host ?? host, now)) this.#patience *= 2;
  }

  /** Ends it, whatever state it is in; counts nowhere without an outcome. */
  leave(outcome: OutcomeClass | undefined): void {
    if (this.#left) return;
    this.#left = true;
    this.upstream.abort();
    // Not when its head came: an origin that breaks off every answer would then never fail twice in a row.
    if (this.#promises) this.lane.gate.success(this.#pipeline.now(), false);
    this.lane.gate.leave(this.#trial);
    if (outcome !== undefined) this.countAs(outcome);
    this.#pipeline.left(this.lane);
  }

  /** Once, as the first thing that is said of it. */
  countAs(outcome: OutcomeClass): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.lane.outcomes.count(outcome, this.#isFirst);
  }
}

/** Undefined when it is to count nowhere. */
function outcomeOf(failure: Failure): OutcomeClass | undefined {
  switch (failure.class) {
    case 'refused':
    case 'connect-reset':
    case 'connect-timeout':
      return 'connect';
    case 'tls':
      return 'tls';
    case 'reset':
    case 'protocol':
      return 'reset';
    case 'unsendable':
      return undefined;
  }
}
