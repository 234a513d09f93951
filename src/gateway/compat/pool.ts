import { Client } from 'undici';
import type { GatewaySettings } from '../../core/settings.ts';
import type { TrustOptions } from '../../lib/tls-trust.ts';
import type { WireOrigin } from '../wire.ts';

/** One connection. undici's Client is one connection that reopens itself; we use it for what it knows of HTTP. */
export class PooledClient {
  readonly client: Client;
  /** Exchanges this very socket has carried. */
  served = 0;
  connected = false;

  constructor(client: Client) {
    this.client = client;
  }
}

/**
 * The kept connections of one origin, last used first, so that the others grow old and go. Our own instead of
 * undici's Pool because the exchange must know whether a connection was used before, and must be able to ask for one
 * that was not.
 */
export class OriginPool {
  readonly #origin: WireOrigin;
  #settings: GatewaySettings;
  readonly #trust: TrustOptions;
  readonly #idle: PooledClient[] = [];
  readonly #used = new Set<PooledClient>();
  #onEmpty: (() => void) | undefined;
  #retired = false;

  constructor(origin: WireOrigin, settings: GatewaySettings, trust: TrustOptions) {
    this.#origin = origin;
    this.#trust = trust;
    this.#settings = settings;
  }

  /** Other settings for the connections that are opened from now on. */
  tune(settings: GatewaySettings): void {
    this.#settings = settings;
  }

  take(fresh: boolean): PooledClient {
    const pooled = (fresh ? undefined : this.#idle.pop()) ?? this.#open();
    this.#used.add(pooled);
    return pooled;
  }

  /** After a complete exchange; a connection that was closed meanwhile is not kept. */
  give(pooled: PooledClient): void {
    this.#used.delete(pooled);
    if (this.#retired || !pooled.connected) {
      this.#drop(pooled);
      return;
    }
    this.#idle.push(pooled);
  }

  discard(pooled: PooledClient): void {
    this.#used.delete(pooled);
    this.#drop(pooled);
  }

  /** Idle ones close now, used ones after their exchange; `onEmpty` when the last one has gone. */
  retire(onEmpty: () => void): void {
    this.#retired = true;
    this.#onEmpty = onEmpty;
    for (const pooled of this.#idle.splice(0)) void pooled.client.destroy();
    if (this.#used.size === 0) onEmpty();
  }

  async destroy(): Promise<void> {
    this.#retired = true;
    const all = [...this.#idle.splice(0), ...this.#used];
    this.#used.clear();
    await Promise.all(all.map((pooled) => pooled.client.destroy()));
  }

  #drop(pooled: PooledClient): void {
    void pooled.client.destroy();
    if (this.#retired && this.#used.size === 0) this.#onEmpty?.();
  }

  #open(): PooledClient {
    const { secure, hostname, port, sni } = this.#origin;
    const { timeouts, limits } = this.#settings;
    const host = hostname.includes(':') ? `[${hostname}]` : hostname;
    const client = new Client(`${secure ? 'https' : 'http'}://${host}:${port}`, {
      // Deadlines are the exchange's, by sweep.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: timeouts.upstreamKeepAliveMs,
      keepAliveMaxTimeout: timeouts.upstreamKeepAliveMs,
      maxHeaderSize: limits.headBytes,
      pipelining: 1,
      connect: {
        timeout: timeouts.connectMs,
        ...this.#trust,
        ...(sni === undefined ? {} : { servername: sni }),
      },
    });
    const pooled = new PooledClient(client);
    client.on('connect', () => {
      pooled.connected = true;
      pooled.served = 0;
    });
    client.on('disconnect', () => {
      pooled.connected = false;
      const index = this.#idle.indexOf(pooled);
      if (index < 0) return;
      this.#idle.splice(index, 1);
      void client.destroy();
    });
    return pooled;
  }
}
