import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Dispose } from '../core/ports.ts';
import type { GatewaySettings, ListenSettings } from '../core/settings.ts';
import { AddressLimit } from './address-limit.ts';
import { AddressRanges, addressOf } from './client-address.ts';
import { ConnectionTally } from './connection-tally.ts';
import { perWorker } from './lane.ts';
import { listenOn } from './listen-on.ts';
import { peekProtocol } from './protocol-peek.ts';
import { TlsFront } from './tls/front.ts';

/** One address we listen on, as long as the configuration has it and connections that came by it are open. */
export class Listener {
  /** As configured: `port` may be 0. */
  readonly at: ListenSettings;
  /** It takes nobody new, and who is there ends with the exchange under way. */
  isClosing = false;
  readonly server: Server;
  port = 0;
  readonly sockets = new Set<Socket>();
  /** What becomes of the next connection. */
  take: (socket: Socket) => void;

  constructor(
    at: ListenSettings,
    take: (socket: Socket) => void,
    arrived: (socket: Socket, by: Listener) => void,
  ) {
    this.at = at;
    this.take = take;
    // Each half of a tunnel ends on its own.
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => arrived(socket, this));
  }

  async open(): Promise<this> {
    this.port = await listenOn(this.server, this.at);
    return this;
  }

  /** Resolves when the last connection has gone. */
  stop(): Promise<void> {
    this.isClosing = true;
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Who speaks with the connections, once it is known what they speak. */
export interface Protocols {
  http1(socket: Socket, by: Listener): void;
  /** Left out: nobody is offered HTTP/2. */
  http2?(socket: Socket, by: Listener): void;
  /**
   * Who came by it shall go: with the answer under way, and idle connections now. Patiently: those with their next
   * answer, because a request may be on its way that would be lost.
   */
  closing(listener: Listener, patiently: boolean): void;
}

/**
 * All addresses we listen on. They can be changed while they serve: what stays keeps its socket, and its connections
 * know nothing of it.
 */
export class Listeners {
  readonly #clock: Clock;
  readonly #protocols: Protocols;
  readonly tally = new ConnectionTally();
  readonly #limit = new AddressLimit();
  readonly #leaving = new Set<Listener>();
  readonly #timers = new Set<Dispose>();
  #open: readonly Listener[] = [];
  #settings: GatewaySettings;
  #trusted = new AddressRanges([]);
  #isDraining = false;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(settings: GatewaySettings, clock: Clock, protocols: Protocols) {
    this.#settings = settings;
    this.#clock = clock;
    this.#protocols = protocols;
  }

  /**
   * Listens where `settings.listen` says and nowhere else; resolves with the ports, in its order. Throws PORT_IN_USE or
   * CONFIG_INVALID (a certificate that cannot be used), and then everything is as it was.
   */
  apply(settings: GatewaySettings): Promise<readonly number[]> {
    const change = this.#changing.then(() => this.#change(settings));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  async #change(settings: GatewaySettings): Promise<readonly number[]> {
    if (this.#isDraining) return this.#open.map(({ port }) => port);
    const before = [...this.#open];
    const wanted = settings.listen.map((at) => {
      const index = before.findIndex((open) => isSame(open, at));
      const kept = index < 0 ? undefined : before.splice(index, 1)[0];
      const made = kept ?? new Listener(at, tooEarly, (socket, by) => this.#arrived(socket, by));
      return { made, kept, take: this.#taker(settings, at, made) };
    });
    const added = wanted.filter(({ kept }) => kept === undefined).map(({ made }) => made);
    await openAll(added);

    for (const { made, take } of wanted) made.take = take;
    this.#open = wanted.map(({ made }) => made);
    this.#settings = settings;
    this.#trusted = new AddressRanges(settings.trustedProxies);
    for (const listener of before) this.#retire(listener);
    return this.#open.map(({ port }) => port);
  }

  #retire(listener: Listener): void {
    this.#leaving.add(listener);
    void listener.stop().then(() => this.#leaving.delete(listener));
    this.#protocols.closing(listener, true);
    const dispose = this.#clock.after(this.#settings.timeouts.drainMs, () => {
      this.#timers.delete(dispose);
      this.#protocols.closing(listener, false);
      for (const socket of listener.sockets) socket.destroy();
    });
    this.#timers.add(dispose);
  }

  /** What becomes of a connection by these settings. Throws when a certificate cannot be used. */
  #taker(settings: GatewaySettings, at: ListenSettings, by: Listener): (socket: Socket) => void {
    const http2 = this.#protocols.http2?.bind(this.#protocols);
    const decided = (socket: Socket, isHttp2: boolean): void => {
      if (by.isClosing || socket.destroyed) socket.destroy();
      else if (isHttp2) http2?.(socket, by);
      else this.#protocols.http1(socket, by);
    };
    if (at.tls === undefined) {
      if (at.http2 !== true || http2 === undefined) return (socket) => decided(socket, false);
      return (socket) => this.#peek(socket, decided);
    }
    const front = new TlsFront({
      certificates: at.tls,
      protocols: at.http2 === false || http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'],
      handshakeMs: settings.timeouts.headerMs,
      ticketKeys: settings.ticketKeys === undefined ? undefined : Buffer.from(settings.ticketKeys, 'base64'),
      onSecure: (socket) => {
        this.tally.handshakes += 1;
        decided(socket, socket.alpnProtocol === 'h2');
      },
    });
    return (socket) => front.take(socket);
  }

  #peek(socket: Socket, decided: (socket: Socket, isHttp2: boolean) => void): void {
    const tooLate = this.#clock.after(this.#settings.timeouts.clientKeepAliveMs, () => socket.destroy());
    socket.on('close', tooLate);
    peekProtocol(socket, (protocol) => {
      tooLate();
      socket.off('close', tooLate);
      decided(socket, protocol === 'h2');
    });
  }

  #arrived(socket: Socket, by: Listener): void {
    socket.on('error', () => socket.destroy());
    const address = addressOf(socket);
    const most = this.#trusted.has(address) ? 0 : perWorker(this.#settings, this.#settings.limits.perAddress);
    if (by.isClosing || !this.#limit.admit(address, most)) {
      // A reset costs us less than an orderly end, and there is nothing under way.
      this.tally.refused += 1;
      socket.resetAndDestroy();
      return;
    }
    by.sockets.add(socket);
    this.tally.opened();
    socket.on('close', () => {
      this.tally.closed();
      by.sockets.delete(socket);
      this.#limit.leave(address);
    });
    by.take(socket);
  }

  /** Takes nobody new anywhere. */
  drain(patiently = false): void {
    this.#isDraining = true;
    for (const listener of this.#open) {
      if (!listener.isClosing) void listener.stop();
      this.#protocols.closing(listener, patiently);
    }
  }

  /** Drops everything that is left. */
  async close(): Promise<void> {
    this.#isDraining = true;
    await this.#changing;
    for (const dispose of this.#timers) dispose();
    const stopped = [...this.#open, ...this.#leaving].map((listener) => listener.stop());
    for (const { sockets } of [...this.#open, ...this.#leaving]) {
      for (const socket of sockets) socket.destroy();
    }
    await Promise.all(stopped);
  }
}

/** The port that was taken counts like the one asked for: a worker that starts later is told it in place of 0. */
function isSame(open: Listener, at: ListenSettings): boolean {
  return open.at.host === at.host && (open.at.port === at.port || open.port === at.port);
}

/** All of them or none. */
async function openAll(added: readonly Listener[]): Promise<void> {
  try {
    for (const listener of added) await listener.open();
  } catch (error) {
    await Promise.all(added.map((listener) => listener.stop()));
    throw error;
  }
}

function tooEarly(socket: Socket): void {
  socket.destroy();
}
