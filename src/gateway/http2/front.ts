import type { Socket } from 'node:net';
import type { ClientPeer } from '../http1/client-peer.ts';
import type { WireContext } from '../http1/wire-context.ts';
import type { Listener } from '../listeners.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { ClientSession, type SessionOwner } from './client-session.ts';

/** The connections of clients that speak HTTP/2. */
export class Http2Front implements SessionOwner {
  readonly #context: WireContext;
  readonly #owner: Pick<SessionOwner, 'accept' | 'refused'>;
  readonly #sessions = new Set<ClientSession>();
  #sweptAt: number;

  constructor(context: WireContext, owner: Pick<SessionOwner, 'accept' | 'refused'>) {
    this.#context = context;
    this.#owner = owner;
    this.#sweptAt = context.coarseNow;
  }

  take(socket: Socket, peer: ClientPeer, listener: Listener): void {
    this.#sessions.add(new ClientSession(this.#context, this, socket, peer, listener));
  }

  accept(downstream: Downstream): void {
    this.#owner.accept(downstream);
  }

  refused(refusal: Refusal): void {
    this.#owner.refused(refusal);
  }

  sessionClosed(session: ClientSession): void {
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
