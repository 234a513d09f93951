import type { DomainEvent, LoggedEvent } from './events.ts';
import type { PlatformName } from './ids.ts';

/** Stops what it stands for: a timer, a subscription. Calling it again does nothing. */
export type Dispose = () => void;

/** A source of values without names: cockatiel's shape. */
export type Event<T> = (listener: (value: T) => void) => Dispose;

/** The only way to time outside `lib/`; tests pass a virtual one. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds that never go back, for durations. */
  monotonic(): number;
  after(ms: number, run: () => void): Dispose;
  every(ms: number, run: () => void): Dispose;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1). Seeded in tests. */
export type Random = () => number;

/** What a name stood for when it was asked. */
export interface NameAnswer {
  /** IPv4 and IPv6, without brackets. */
  readonly addresses: readonly string[];
  /** How long its owner says that holds; undefined: not said. */
  readonly ttlMs?: number;
}

/** The only way to look a name up off the request path; tests pass their own. Rejects with the system's error. */
export interface NameResolver {
  resolve(name: string): Promise<NameAnswer>;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Takes whole lines with their ends. Never waits and never throws: a line that finds no room is counted. */
export interface LineSink {
  write(line: string): void;
  /** The file was moved away; what follows goes into a new one. */
  reopen(): void;
  /** Once what was taken is with the system, or cannot be. */
  close(): Promise<void>;
}

/** `-` is standard output. `droppedLine` says, as a line, how many found no room. Rejects when it cannot be opened. */
export type OpenLines = (file: string, droppedLine: (count: number) => string) => Promise<LineSink>;

/** Where events go and come from. `append` stamps sequence and time. */
export interface EventLog {
  append(event: DomainEvent): LoggedEvent;
  /** Oldest first. */
  since(seq: number, limit?: number): readonly LoggedEvent[];
  readonly onEvent: Event<LoggedEvent>;
}

/**
 * Small documents by key, grouped in collections, written atomically. Implementations: files, memory; all pass
 * test/conformance/state-store.ts.
 */
export interface StateStore {
  get(collection: string, key: string): Promise<unknown>;
  put(collection: string, key: string, value: unknown): Promise<void>;
  delete(collection: string, key: string): Promise<void>;
  /** Keys in lexical order. */
  keys(collection: string): Promise<readonly string[]>;
  /** A folder of its own for big things (bundles); created when asked for. */
  folder(name: string): Promise<string>;
  /** Takes a lease or tells who has it. Expires on its own unless renewed. */
  acquire(lease: string, holder: LeaseHolder, ttlMs: number): Promise<Lease | LeaseRefusal>;
  /** Those that are held now, by name. */
  leases(): Promise<readonly KnownLease[]>;
  /** Takes it from whoever has it, who finds out at the next look; undefined: nobody had it. */
  breakLease(lease: string): Promise<LeaseHolder | undefined>;
  close(): Promise<void>;
}

export interface LeaseHolder {
  readonly id: string;
  /** Where it lives: a lease of a process that is dead on this very machine needs no waiting for. */
  readonly process?: { readonly host: string; readonly pid: number };
  readonly reason: string;
  readonly since: number;
}

export interface Lease {
  readonly held: true;
  /** Rises with every acquisition: a late writer is recognised by a lower one. */
  readonly token: number;
  renew(): Promise<boolean>;
  /** Is it still ours? Only looks. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export interface KnownLease {
  readonly lease: string;
  readonly holder: LeaseHolder;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface LeaseRefusal {
  readonly held: false;
  readonly holder: LeaseHolder;
  readonly expiresAt: number;
}

/** Turns at platform APIs: how often, how many at a time, and when not at all. */
export interface ApiBudgets {
  /** The budget of an account at an endpoint; `platform` is who asks, for what is said when it must wait. */
  of(
    place: { readonly endpoint: string; readonly account: string },
    platform: PlatformName,
    perSecond: number,
  ): ApiTurns;
}

export interface ApiTurns {
  /** Works when its turn has come. What only observes goes last. */
  take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** What an answer said of limits holds for everybody who shares them. */
  heard(status: number, headers: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

/** Something that runs. Creating it was free; `start` does I/O; `close` drains; both unwind on failure; close is idempotent. */
export interface Runnable {
  readonly name: string;
  start(): Promise<void>;
  close(): Promise<void>;
}
