import type { Socket } from 'node:net';
import type { Clock } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import { AddressRanges } from '../client-address.ts';
import type { ConnectionTally } from '../connection-tally.ts';
import { Http2Front } from '../http2/front.ts';
import { type Listener, Listeners } from '../listeners.ts';
import type { Downstream, Refusal } from '../wire.ts';
import { ClientConnection, type ConnectionOwner } from './client-connection.ts';
import { ClientPeer } from './client-peer.ts';
import type { WireContext } from './wire-context.ts';

/** The connections of clients, by whatever address they came and whatever HTTP they speak. */
export class Http1Listener implements ConnectionOwner {
  readonly #context: WireContext;
  readonly #listeners: Listeners;
  readonly #http2: Http2Front;
  readonly #connections = new Set<ClientConnection>();
  #trusted: AddressRanges;
  #accept: (downstream: Downstream) => void = () => undefined;
  #refused: (refusal: Refusal) => void = () => undefined;

  constructor(context: WireContext, clock: Clock) {
    this.#context = context;
    this.#trusted = new AddressRanges(context.settings.trustedProxies);
    this.#http2 = new Http2Front(context, this);
    this.#listeners = new Listeners(context.settings, clock, {
      http1: (socket, by) => this.#connected(socket, by),
      http2: (socket, by) => this.#http2.take(socket, new ClientPeer(socket, this.#trusted), by),
      closing: (listener, patiently) => this.#closing(listener, patiently),
    });
  }

  get tally(): ConnectionTally {
    return this.#listeners.tally;
  }

  listen(
    settings: GatewaySettings,
    accept: (downstream: Downstream) => void,
    refused: (refusal: Refusal) => void = () => undefined,
  ): Promise<readonly number[]> {
    this.#accept = accept;
    this.#refused = refused;
    return this.#listeners.apply(settings);
  }

  async relisten(settings: GatewaySettings): Promise<readonly number[]> {
    const ports = await this.#listeners.apply(settings);
    this.#trusted = new AddressRanges(settings.trustedProxies);
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
    this.#http2.sweep(now);
  }

  drain(patiently?: boolean): void {
    this.#listeners.drain(patiently);
  }

  close(): Promise<void> {
    return this.#listeners.close();
  }

  #connected(socket: Socket, by: Listener): void {
    const peer = new ClientPeer(socket, this.#trusted);
    this.#connections.add(new ClientConnection(this.#context, this, socket, peer, by));
  }

  #closing(listener: Listener, patiently: boolean): void {
    for (const connection of patiently ? [] : this.#connections) {
      if (connection.listener === listener) connection.drain();
    }
    this.#http2.closing(listener);
  }
}
