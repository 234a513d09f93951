import { ConsecutiveBreaker } from 'cockatiel';
import type { Random } from '../core/ports.ts';
import type { EjectionReason } from '../core/signals.ts';
import { type EjectionHistory, type EjectionRules, eject, NEVER_EJECTED } from './ejection.ts';
import { FailureRate, type FailureRateRules } from './failure-rate.ts';

export const CLOSED = 0;
export const OPEN = 1;
export const HALF_OPEN = 2;
export type GateState = typeof CLOSED | typeof OPEN | typeof HALF_OPEN;

export interface GateRules extends EjectionRules, FailureRateRules {
  readonly consecutive: number;
  /** Concurrent requests. */
  readonly cap: number;
}

/** Who may pass now: anybody, one replayable request as a trial, or nobody. */
export type Admission = 'yes' | 'trial' | 'no';

/**
 * Breaker, ejection and concurrency cap of one origin. Three integers decide; cockatiel's strategy only counts,
 * because its promise around each call costs more than the whole exchange. Times are of the monotonic clock.
 */
export class Gate {
  state: GateState = CLOSED;
  inFlight = 0;
  reason: EjectionReason | undefined;
  #rules: GateRules;
  readonly #random: Random;
  #history: EjectionHistory = NEVER_EJECTED;
  #consecutive: ConsecutiveBreaker;
  #rate: FailureRate;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(rules: GateRules, random: Random) {
    this.#rules = rules;
    this.#random = random;
    this.#consecutive = new ConsecutiveBreaker(rules.consecutive);
    this.#rate = new FailureRate(rules);
  }

  /** Other settings: what is shut stays shut, what was counted is forgotten. */
  tune(rules: GateRules): void {
    this.#rules = rules;
    this.#forget();
  }

  get until(): number {
    return this.#history.until;
  }

  /** Ejections that count when the next one is to be longer. */
  get times(): number {
    return this.#history.times;
  }

  get belowCap(): boolean {
    return this.inFlight < this.#rules.cap;
  }

  /** Nothing is wrong with it, and all its places are taken: the only reason to wait. */
  get isFull(): boolean {
    return this.state === CLOSED && !this.belowCap;
  }

  /**
   * A trial may fail, so it is one that can be sent again; others are let in only when the time has run twice. Nobody
   * waits for a trial to end: beside it the gate is shut. `ownPlaces`: those the asker would give back.
   */
  admits(now: number, replayable: boolean, ownPlaces = 0): Admission {
    if (this.inFlight - ownPlaces >= this.#rules.cap) return 'no';
    if (this.state === CLOSED) return 'yes';
    if (this.state === HALF_OPEN || now < this.#history.until) return 'no';
    return replayable || now >= this.#history.until + 2 * this.#rules.baseMs ? 'trial' : 'no';
  }

  /** After an admission. True when this request is the trial; whoever enters leaves with the same answer. */
  enter(): boolean {
    this.inFlight += 1;
    if (this.state !== OPEN) return false;
    this.state = HALF_OPEN;
    return true;
  }

  /** A trial that proved nothing (its client went away) leaves the gate open to the next one. */
  leave(trial: boolean): void {
    this.inFlight -= 1;
    if (trial && this.state === HALF_OPEN) this.state = OPEN;
  }

  /** True when this closed the breaker again. */
  success(now: number, trial: boolean): boolean {
    if (trial && this.state === HALF_OPEN) {
      this.state = CLOSED;
      this.reason = undefined;
      // Good standing begins now, however long nobody tried.
      this.#history = { times: this.#history.times, until: now };
      this.#forget();
      return true;
    }
    this.#fade(now);
    this.#consecutive.success();
    this.#rate.success(now);
    return false;
  }

  /**
   * Counts a failure; the reason when it is one too many. `hard` ones (no answer, or a gateway's) count in a row;
   * an application's own 500 counts for the rate only, or five requests for one broken page would eject an origin.
   */
  failure(now: number, hard: boolean): EjectionReason | undefined {
    if (this.state !== CLOSED) return undefined;
    this.#fade(now);
    const inARow = hard && this.#consecutive.failure();
    const tooMany = this.#rate.failure(now);
    if (inARow) return 'consecutive-failures';
    return tooMany ? 'failure-rate' : undefined;
  }

  /** Opens for longer than the last time. */
  open(now: number, reason: EjectionReason): void {
    const { times, until } = this.#history;
    // Only a gate that was closed again has earned forgiveness; until a trial succeeds there is no good standing.
    const endedAt = this.state === CLOSED ? until : now;
    this.#history = eject({ times, until: endedAt }, this.#rules, now, this.#random);
    this.#shut(reason);
  }

  /** Opens as somebody else did, for the time he says. An earlier end than ours is not taken over. */
  openUntil(until: number, reason: EjectionReason, times = 1): void {
    if (this.state === OPEN && until <= this.#history.until) return;
    this.#history = { times: Math.max(1, times, this.#history.times), until };
    this.#shut(reason);
  }

  /** Somebody else's trial went well: ours may begin. */
  tryAgain(now: number): void {
    if (this.state === OPEN) this.#history = { times: this.#history.times, until: Math.min(now, this.until) };
  }

  #shut(reason: EjectionReason): void {
    this.state = OPEN;
    this.reason = reason;
    this.#forget();
  }

  #forget(): void {
    this.#consecutive = new ConsecutiveBreaker(this.#rules.consecutive);
    this.#rate = new FailureRate(this.#rules);
  }

  /** What failed in a row before a silence says nothing of now. */
  #fade(now: number): void {
    if (now - this.#countedAt > this.#rules.windowMs) this.#consecutive.success();
    this.#countedAt = now;
  }
}
