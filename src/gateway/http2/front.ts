import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { GatewaySettings } from '../../core/settings.ts';
import type { ClientPeer } from '../http1/client-peer.ts';
import type { WireContext } from '../http1/wire-context.ts';
import type { Listener } from '../listeners.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { ClientSession, type SessionOwner } from './client-session.ts';

/** Of the whole connection; each stream has its own 64 KB within it. */
const WINDOW_BYTES = 1_048_576;
/** Frames that are no HTTP/2, and streams beyond what we allow, before the connection ends. */
const MOST_INVALID = 100;

/** The connections of clients that speak HTTP/2, by node:http2. It does not listen itself. */
export class Http2Front implements SessionOwner {
  readonly #context: WireContext;
  readonly #owner: Pick<SessionOwner, 'accept' | 'refused'>;
  readonly #sessions = new Set<ClientSession>();
  #server: Http2Server;
  #madeFor: GatewaySettings;
  #sweptAt: number;

  constructor(context: WireContext, owner: Pick<SessionOwner, 'accept' | 'refused'>) {
    this.#context = context;
    this.#owner = owner;
    this.#madeFor = context.settings;
    this.#server = createHttp2(context.settings);
    this.#sweptAt = context.coarseNow;
  }

  take(socket: Socket, peer: ClientPeer, listener: Listener): void {
    const { settings } = this.#context;
    if (settings !== this.#madeFor) {
      this.#madeFor = settings;
      this.#server = createHttp2(settings);
    }
    this.#server.once('session', (session: ServerHttp2Session) => {
      this.#sessions.add(new ClientSession(this.#context, this, session, { socket, peer, listener }));
      session.setLocalWindowSize(WINDOW_BYTES);
    });
    this.#server.emit('connection', socket);
  }

  accept(downstream: Downstream): void {
    this.#owner.accept(downstream);
  }

  refused(refusal: Refusal): void {
    this.#owner.refused(refusal);
  }

  closed(session: ClientSession): void {
    this.#sessions.delete(session);
  }

  closing(listener: Listener): void {
    for (const session of this.#sessions) if (session.listener === listener) session.drain();
  }

  sweep(now: number): void {
    for (const session of this.#sessions) session.sweep(now, now - this.#sweptAt);
    this.#sweptAt = now;
  }
}

function createHttp2({ http2, limits }: GatewaySettings): Http2Server {
  return createServer({
    // Cookies come in crumbs, one field each; what is too much after all is answered 431.
    maxHeaderListPairs: 2 * limits.fields + 64,
    maxSessionInvalidFrames: MOST_INVALID,
    maxSessionRejectedStreams: MOST_INVALID,
    settings: {
      maxConcurrentStreams: http2.maxConcurrentStreams,
      maxHeaderListSize: http2.headerListBytes,
      enablePush: false,
    },
  });
}
