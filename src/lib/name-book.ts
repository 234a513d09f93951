import { isIP } from 'node:net';
import type { Clock, Dispose, Logger, NameResolver, Random } from '../core/ports.ts';
import type { NameCounters } from '../core/traffic-counters.ts';

/** However short its owner wants it: below this we would only ask. */
const LEAST_MS = 1_000;
/** Who waits for the first answer waits no longer than this; the question stays open. */
const PATIENCE_MS = 5_000;
/** Workers and replicas must not ask all at one moment: each a little earlier. */
const JITTER = 0.1;
/** More than any balancer answers; what an answer may make us keep has an end. */
const MOST_ADDRESSES = 64;
/** Names that were given up are remembered, for they may come back; more of them than anybody has are not. */
const MOST_FORGOTTEN = 256;

export interface NameBookDeps {
  readonly resolver: NameResolver;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Entry {
  /** Sorted; those of the last answer that had any. */
  addresses: readonly string[];
  answeredAt: number;
  /** Questions without a good answer since then. */
  failures: number;
  /** The first question is open: nobody knows yet. */
  pending: boolean;
  asking: boolean;
  watched: boolean;
  timer: Dispose;
}

/**
 * What names stand for, kept up to date off the path of requests. An answer holds until the next good one: a name
 * server that is away must not take the origins along.
 */
export class NameBook {
  /** Questions that brought no address. */
  #failures = 0;
  readonly #deps: NameBookDeps;
  readonly #onChange: (name: string) => void;
  #believeMs: number;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  /**
   * `believeMs`: an answer is asked for again after this long at the latest. `onChange`: the name's addresses are
   * others, or its first question is over.
   */
  constructor(deps: NameBookDeps, believeMs: number, onChange: (name: string) => void = () => undefined) {
    this.#deps = deps;
    this.#believeMs = believeMs;
    this.#onChange = onChange;
  }

  /** From the next answer on. */
  believe(ms: number): void {
    this.#believeMs = ms;
  }

  /** Keeps exactly these up to date from now on. */
  watch(names: ReadonlySet<string>): void {
    if (this.#closed) return;
    for (const [name, entry] of this.#entries) {
      if (!entry.watched || names.has(name)) continue;
      entry.watched = false;
      entry.timer();
    }
    for (const name of names) this.#begin(name);
    for (const [name, { watched }] of this.#entries) {
      if (this.#entries.size <= names.size + MOST_FORGOTTEN) break;
      if (!watched) this.#entries.delete(name);
    }
  }

  /** Last good ones; empty when there never were any. */
  addresses(name: string): readonly string[] {
    return this.#entries.get(name)?.addresses ?? [];
  }

  /** Nobody knows yet whether it stands for anything. */
  isPending(name: string): boolean {
    return this.#entries.get(name)?.pending ?? false;
  }

  get counts(): NameCounters {
    let failing = 0;
    for (const { watched, failures } of this.#entries.values()) if (watched && failures > 0) failing += 1;
    return { failures: this.#failures, failing };
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#entries.values()) timer();
    this.#entries.clear();
  }

  // ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(name: string): void {
    const known = this.#entries.get(name);
    if (known?.watched) return;
    const entry: Entry = known ?? {
      addresses: [],
      answeredAt: 0,
      failures: 0,
      pending: true,
      asking: false,
      watched: true,
      timer: () => undefined,
    };
    entry.watched = true;
    this.#entries.set(name, entry);
    this.#ask(name, entry);
  }

  #ask(name: string, entry: Entry): void {
    // A question that hangs holds a thread: another one would hold the next.
    if (entry.asking) return;
    entry.asking = true;
    const { clock, resolver } = this.#deps;
    const impatient = clock.after(PATIENCE_MS, () => {
      if (!this.#closed) this.#failed(name, entry, `no answer within ${PATIENCE_MS / 1000} s`);
    });
    const over = (): boolean => {
      impatient();
      entry.asking = false;
      return this.#closed || this.#entries.get(name) !== entry;
    };
    resolver.resolve(name).then(
      ({ addresses, ttlMs }) => {
        if (over()) return;
        const usable = usableOf(addresses);
        if (usable.length > 0) this.#answered(name, entry, usable, ttlMs);
        else this.#retry(name, entry, 'the answer holds no address that can be connected to');
      },
      (error: unknown) => {
        if (!over()) this.#retry(name, entry, whyOf(error));
      },
    );
  }

  #answered(name: string, entry: Entry, addresses: readonly string[], ttlMs: number | undefined): void {
    const { clock, logger } = this.#deps;
    const believeMs = this.#believeMs;
    const before = entry.addresses;
    const wasPending = entry.pending;
    if (entry.failures > 0) logger.info({ name, addresses }, 'a name can be resolved again');
    entry.addresses = addresses;
    entry.answeredAt = clock.monotonic();
    entry.failures = 0;
    entry.pending = false;
    this.#again(name, entry, Math.min(believeMs, Math.max(LEAST_MS, ttlMs ?? believeMs)));
    if (addresses.join() === before.join()) return;
    if (!wasPending) {
      const added = addresses.filter((address) => !before.includes(address));
      const removed = before.filter((address) => !addresses.includes(address));
      logger.info({ name, added, removed }, 'a name stands for other addresses now');
    }
    this.#onChange(name);
  }

  #retry(name: string, entry: Entry, why: string): void {
    this.#failed(name, entry, why);
    const wait = Math.min(this.#believeMs, LEAST_MS * 2 ** Math.min(16, entry.failures - 1));
    this.#again(name, entry, wait);
  }

  #failed(name: string, entry: Entry, why: string): void {
    const { clock, logger } = this.#deps;
    const wasPending = entry.pending;
    entry.pending = false;
    entry.failures += 1;
    this.#failures += 1;
    const { addresses, failures } = entry;
    if (addresses.length > 0) {
      const ageS = Math.round((clock.monotonic() - entry.answeredAt) / 1000);
      logger.warn(
        { name, why, failures, ageS, addresses },
        'a name cannot be resolved; its last good addresses are used on',
      );
    } else {
      const remedy = 'check the name in the configuration and the name servers of this machine';
      logger.warn(
        { name, why, failures, remedy },
        'a name cannot be resolved; its origins get no requests until it can',
      );
    }
    if (wasPending) this.#onChange(name);
  }

  #again(name: string, entry: Entry, ms: number): void {
    entry.timer();
    if (!entry.watched) return;
    const wait = ms * (1 - JITTER * this.#deps.random());
    entry.timer = this.#deps.clock.after(wait, () => this.#ask(name, entry));
  }
}

/** Name servers that block a name answer with an address that means "this machine"; nobody meant that. */
function usableOf(addresses: readonly string[]): readonly string[] {
  const usable = new Set(addresses.filter((address) => isIP(address) !== 0 && !isNowhere(address)));
  return [...usable].sort().slice(0, MOST_ADDRESSES);
}

/** Unspecified, multicast and broadcast. */
function isNowhere(address: string): boolean {
  if (isIP(address) === 6) return /^[:0]+$/.test(address) || /^ff/i.test(address);
  const first = Number(address.split('.', 1)[0]);
  return first === 0 || (first >= 224 && first <= 239) || address === '255.255.255.255';
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
