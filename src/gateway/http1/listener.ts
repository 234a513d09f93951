import { type BlockList, createServer, type Server, type Socket } from 'node:net';
import { listenOn } from '../listen-on.ts';
import type { Downstream, ListenAddress, Refusal } from '../wire.ts';
import { ClientConnection, type ConnectionOwner } from './client-connection.ts';
import { blockList, ClientPeer } from './client-peer.ts';
import type { WireContext } from './wire-context.ts';

/** The servers towards clients. */
export class Http1Listener implements ConnectionOwner {
  readonly #context: WireContext;
  readonly #trusted: BlockList;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<ClientConnection>();
  #accept: (downstream: Downstream) => void = () => undefined;
  #refused: (refusal: Refusal) => void = () => undefined;

  constructor(context: WireContext) {
    this.#context = context;
    this.#trusted = blockList(context.settings.trustedProxies);
  }

  async listen(
    at: readonly ListenAddress[],
    accept: (downstream: Downstream) => void,
    refused: (refusal: Refusal) => void = () => undefined,
  ): Promise<readonly number[]> {
    this.#accept = accept;
    this.#refused = refused;
    const ports: number[] = [];
    for (const address of at) {
      // Each half of a tunnel ends on its own.
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
        this.#connected(socket),
      );
      this.#servers.push(server);
      ports.push(await listenOn(server, address));
    }
    return ports;
  }

  accept(downstream: Downstream): void {
    this.#accept(downstream);
  }

  refused(refusal: Refusal): void {
    this.#refused(refusal);
  }

  closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
  }

  sweep(now: number): void {
    for (const connection of this.#connections) connection.sweep(now);
  }

  drain(): void {
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.drain();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            for (const connection of this.#connections) connection.destroy();
          }),
      ),
    );
  }

  #connected(socket: Socket): void {
    if (this.#context.draining) {
      socket.destroy();
      return;
    }
    const peer = new ClientPeer(socket, this.#trusted);
    this.#connections.add(new ClientConnection(this.#context, this, socket, peer));
  }
}
