import type { TrustOptions } from '../../lib/tls-trust.ts';
import type { WireOrigin } from '../wire.ts';
import { type Handshake, OriginConnection } from './origin-connection.ts';
import type { WireContext } from './wire-context.ts';

/** The connections of one origin. The one used last is taken first, so that the others grow old and go. */
export class OriginPool {
  readonly origin: WireOrigin;
  readonly #context: WireContext;
  readonly #handshake: Handshake;
  readonly #idle: OriginConnection[] = [];
  readonly #all = new Set<OriginConnection>();
  #retired = false;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(context: WireContext, origin: WireOrigin, trust: TrustOptions) {
    this.#context = context;
    this.origin = origin;
    this.#handshake = { trust, session: undefined };
  }

  /** One that is connected, or, when there is none or it must be `fresh`, a new one. */
  take(fresh: boolean): OriginConnection {
    while (!fresh && this.#idle.length > 0) {
      const kept = this.#idle.pop()!;
      if (kept.isOpen && !this.#isOld(kept, this.#context.coarseNow)) return kept;
      kept.destroy();
    }
    const opened = new OriginConnection(this.#context, this.origin, this.#handshake, (closed) =>
      this.#closed(closed),
    );
    this.#all.add(opened);
    return opened;
  }

  /** After an exchange that ended where it should. */
  give(connection: OriginConnection): void {
    connection.user = undefined;
    connection.served += 1;
    connection.since = this.#context.coarseNow;
    if (this.#retired) connection.destroy();
    else if (connection.isOpen) this.#idle.push(connection);
  }

  sweep(now: number): void {
    while (this.#idle.length > 0 && this.#isOld(this.#idle[0]!, now)) this.#idle.shift()!.destroy();
    const { connectMs } = this.#context.settings.timeouts;
    for (const connection of this.#all) {
      if (connection.isConnected || now - connection.since < connectMs) continue;
      connection.destroy(
        Object.assign(new Error(`no connection within ${connectMs} ms`), { code: 'ETIMEDOUT' }),
      );
    }
  }

  /** Idle ones close now, used ones after their exchange; `onEmpty` when the last one has gone. */
  retire(onEmpty: () => void): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
    if (this.#all.size === 0) onEmpty();
    else this.#onEmpty = onEmpty;
  }

  destroy(): void {
    this.#retired = true;
    for (const connection of this.#all) connection.destroy();
  }

  #isOld(connection: OriginConnection, now: number): boolean {
    return now - connection.since >= this.#context.settings.timeouts.upstreamKeepAliveMs;
  }

  #closed(connection: OriginConnection): void {
    this.#all.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (this.#all.size === 0) this.#onEmpty?.();
  }
}
