import type { OriginId } from '../core/ids.ts';
import type { RequestStamp } from './headers.ts';
import type { ClientIdentity } from './identity.ts';
import type { OutcomeClass } from './outcomes.ts';
import type { RequestMarks } from './request-marks.ts';
import type { CompiledRoute, CompiledTarget } from './routes.ts';
import type { RequestHead } from './wire.ts';

/** One try, for the access log. */
export interface AttemptNote {
  readonly origin: OriginId;
  readonly startedAt: number;
  /** `uncounted`: it says nothing about the origin, like a kept connection that was closed meanwhile. */
  outcome: OutcomeClass | 'uncounted' | 'open';
  ms: number;
}

/** What is known of one request when it has ended. Times are of the monotonic clock, in milliseconds. */
export class RequestRecord implements RequestStamp {
  readonly head: RequestHead;
  readonly client: ClientIdentity;
  readonly marks: RequestMarks;
  readonly startedAt: number;
  route: CompiledRoute | undefined = undefined;
  /** Of the last attempt. */
  target: CompiledTarget | undefined = undefined;
  /** See `response-flags.ts`. */
  flags = 0;
  /** What the client was told; 0: nothing. */
  status = 0;
  /** The client got all of it. */
  complete = false;
  /** A tunnel or an event stream. */
  isEndless = false;
  /** When the head of the answer went out; 0: never. */
  headAt = 0;
  endedAt = 0;
  /** Bytes of the bodies. */
  sent = 0;
  received = 0;
  /** Empty without an access log. */
  attempts: AttemptNote[] = NO_ATTEMPTS;

  constructor(head: RequestHead, client: ClientIdentity, marks: RequestMarks, startedAt: number) {
    this.head = head;
    this.client = client;
    this.marks = marks;
    this.startedAt = startedAt;
  }

  attempted(origin: OriginId, startedAt: number): void {
    const note: AttemptNote = { origin, startedAt, outcome: 'open', ms: 0 };
    if (this.attempts === NO_ATTEMPTS) this.attempts = [note];
    else this.attempts.push(note);
  }

  left(outcome: OutcomeClass | undefined, now: number): void {
    const last = this.attempts[this.attempts.length - 1];
    if (last === undefined) return;
    last.outcome = outcome ?? 'uncounted';
    last.ms = now - last.startedAt;
  }
}

/** Shared, and never written to. */
const NO_ATTEMPTS: AttemptNote[] = [];
