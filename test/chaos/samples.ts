/**
 * How a request ended for its client. `cut`: an answer began, and its end is missing in a way the client can tell.
 * `forged`: framed as whole, and it is not what the origin sent. `failed`: closed or reset before an answer began.
 */
export const OUTCOMES = ['ok', 'status', 'failed', 'timeout', 'cut', 'forged'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

export const SIDES = ['nobody', 'primary', 'secondary'] as const;
export type Side = (typeof SIDES)[number];

export interface Sample {
  /** Milliseconds of the shared clock; when it was due, whether or not it could be sent then. */
  readonly dueAt: number;
  readonly endedAt: number;
  readonly outcome: OutcomeName;
  readonly side: Side;
  /** The target of a request that must not be executed twice; undefined: a safe one. */
  readonly unsafe: string | undefined;
}

/** Many samples at once between processes: they are made while the clock runs. */
export interface PackedSamples {
  readonly dueAt: Float64Array;
  readonly endedAt: Float64Array;
  readonly outcome: Uint8Array;
  readonly side: Uint8Array;
  /** -1 for safe requests. */
  readonly unsafe: Int32Array;
}

export class SampleLog {
  #dueAt: number[] = [];
  #endedAt: number[] = [];
  #outcome: number[] = [];
  #side: number[] = [];
  #unsafe: number[] = [];

  add(dueAt: number, endedAt: number, outcome: OutcomeName, side: Side, unsafe: number): void {
    this.#dueAt.push(dueAt);
    this.#endedAt.push(endedAt);
    this.#outcome.push(OUTCOMES.indexOf(outcome));
    this.#side.push(SIDES.indexOf(side));
    this.#unsafe.push(unsafe);
  }

  /** All since the last time. */
  take(): PackedSamples {
    const packed = {
      dueAt: Float64Array.from(this.#dueAt),
      endedAt: Float64Array.from(this.#endedAt),
      outcome: Uint8Array.from(this.#outcome),
      side: Uint8Array.from(this.#side),
      unsafe: Int32Array.from(this.#unsafe),
    };
    this.#dueAt = [];
    this.#endedAt = [];
    this.#outcome = [];
    this.#side = [];
    this.#unsafe = [];
    return packed;
  }
}

export function unpack(packed: PackedSamples): readonly Sample[] {
  return Array.from(packed.dueAt, (dueAt, index) => {
    const unsafe = packed.unsafe[index] ?? -1;
    return {
      dueAt,
      endedAt: packed.endedAt[index] ?? dueAt,
      outcome: OUTCOMES[packed.outcome[index] ?? 0] ?? 'ok',
      side: SIDES[packed.side[index] ?? 0] ?? 'nobody',
      unsafe: unsafe < 0 ? undefined : unsafeTarget(unsafe),
    };
  });
}

/** The target of the unsafe request with this number, and its line in the ledger. */
export function unsafeTarget(number: number): string {
  return `/orders/${number}`;
}
