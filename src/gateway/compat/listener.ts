import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import { AddressRanges, addressOf } from '../client-address.ts';
import type { ConnectionTally } from '../connection-tally.ts';
import { type Listener, Listeners } from '../listeners.ts';
import { type OutageStatus, outageAnswer } from '../outage-answers.ts';
import type { Downstream, Peer, Refusal } from '../wire.ts';
import { NodeDownstream } from './node-downstream.ts';
import { requestHead } from './request-head.ts';
import { UpgradeDownstream } from './upgrade-downstream.ts';

/** The servers towards clients. */
export class CompatListener {
  #settings: GatewaySettings;
  readonly #listeners: Listeners;
  #trusted: AddressRanges;
  /** They do not listen themselves: what comes by TLS is handed to them decrypted. */
  readonly #servers = new Map<Listener, Server>();
  /** Made for other settings; they keep the connections they have. */
  readonly #older = new Map<Server, Listener>();
  readonly #peers = new WeakMap<object, Peer>();
  /** The request a connection carries: a fault of node's parser may be about its body. */
  readonly #current = new WeakMap<Duplex, NodeDownstream>();
  /** Connections that take no more requests. */
  readonly #done = new WeakSet<Duplex>();
  #accept: (downstream: Downstream) => void = () => undefined;
  #refused: (refusal: Refusal) => void = () => undefined;

  constructor(settings: GatewaySettings, clock: Clock) {
    this.#settings = settings;
    this.#trusted = new AddressRanges(settings.trustedProxies);
    this.#listeners = new Listeners(settings, clock, {
      http1: (socket, by) => void this.#serverOf(by).emit('connection', socket),
      closing: (listener, patiently) => {
        if (!patiently) this.#closing(listener);
      },
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
    const same = sameForServers(this.#settings, settings);
    this.#settings = settings;
    if (same) return ports;
    // node reads most of these once, when a server is made: new connections go to a new one.
    for (const [listener, server] of this.#servers) this.#older.set(server, listener);
    this.#servers.clear();
    return ports;
  }

  drain(patiently?: boolean): void {
    this.#listeners.drain(patiently);
  }

  async close(): Promise<void> {
    await this.#listeners.close();
    for (const server of [...this.#servers.values(), ...this.#older.keys()]) server.close();
  }

  #closing(listener: Listener): void {
    const server = this.#servers.get(listener);
    this.#servers.delete(listener);
    // Closes idle connections and ends its timer; the others are told to close with their answer.
    server?.close();
    for (const [older, by] of this.#older) {
      if (by !== listener) continue;
      this.#older.delete(older);
      older.close();
    }
  }

  #serverOf(listener: Listener): Server {
    const known = this.#servers.get(listener);
    if (known !== undefined) return known;
    const server = this.#createServer(listener);
    this.#servers.set(listener, server);
    return server;
  }

  #createServer(listener: Listener): Server {
    const { limits, timeouts } = this.#settings;
    const server = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: limits.headBytes,
      headersTimeout: timeouts.headerMs,
      // How long a body may take is the exchange's question: it knows whether it moves.
      requestTimeout: 0,
      keepAliveTimeout: timeouts.clientKeepAliveMs,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    });
    // node would silently drop what is beyond; we refuse instead.
    server.maxHeadersCount = 0;
    server.maxRequestsPerSocket = limits.perConnection;
    server.on('request', (request, response) => this.#serve(listener, request, response, false));
    server.on('checkContinue', (request, response) => this.#serve(listener, request, response, true));
    server.on('checkExpectation', (request, response) => this.#serve(listener, request, response, false));
    server.on('upgrade', (request, socket, first) => this.#upgrade(server, request, socket, first));
    server.on('connect', (_request, socket) => {
      if (refuse(socket, 405))
        this.#refused({ status: 405, why: 'CONNECT is not served', peer: this.#peerOf(socket) });
    });
    server.on('clientError', (error, socket) => {
      if (this.#current.get(socket)?.bodyBroke() === true) return;
      const status = faultOf(error);
      if (refuse(socket, status)) this.#refused({ status, why: error.message, peer: this.#peerOf(socket) });
    });
    // Only then does node begin to look at the deadlines of its connections.
    server.emit('listening');
    return server;
  }

  #serve(
    listener: Listener,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): void {
    // node has read on behind what we refused, and says so to nobody but us.
    if (this.#done.has(request.socket)) return;
    const peer = this.#peerOf(request.socket);
    const head = requestHead(request, peer, this.#settings.limits);
    if (typeof head === 'number') {
      this.#done.add(request.socket);
      this.#refused({ status: head, why: 'a head we do not accept', peer });
      const { head: answer, body } = outageAnswer(head, undefined);
      response.writeHead(answer.status, answer.reason, [...answer.headers, 'connection', 'close']);
      response.end(body);
      return;
    }
    const downstream = new NodeDownstream(head, request, response, expectsContinue, () => listener.isClosing);
    this.#current.set(request.socket, downstream);
    this.#accept(downstream);
  }

  #upgrade(server: Server, request: IncomingMessage, socket: Duplex, first: Buffer): void {
    socket.on('error', () => socket.destroy());
    const peer = this.#peerOf(request.socket);
    const head = requestHead(request, peer, this.#settings.limits);
    if (typeof head === 'number') {
      if (refuse(socket, head)) this.#refused({ status: head, why: 'a head we do not accept', peer });
      return;
    }
    if (head.upgrade === undefined) {
      handBack(server, request, socket, first);
      return;
    }
    this.#accept(new UpgradeDownstream(head, socket, first));
  }

  #peerOf(socket: Duplex): Peer {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const address = socket instanceof Socket ? addressOf(socket) : 'unknown';
    const peer: Peer = {
      address,
      trusted: this.#trusted.has(address),
      encrypted: 'encrypted' in socket && socket.encrypted === true,
      localPort: socket instanceof Socket ? (socket.localPort ?? 0) : 0,
      identity: undefined,
    };
    this.#peers.set(socket, peer);
    return peer;
  }
}

/**
 * An offer to switch to a protocol we do not speak (`h2c`) is to be ignored, but node has already taken its parser
 * off the socket. So the request goes in again at the front, without the offer.
 */
function handBack(server: Server, request: IncomingMessage, socket: Duplex, first: Buffer): void {
  let text = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const lower = name.toLowerCase();
    if (lower === 'upgrade' || lower === 'http2-settings') continue;
    const value = rawHeaders[i + 1]!;
    text += lower === 'connection' ? `${name}: ${withoutUpgrade(value)}\r\n` : `${name}: ${value}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), first]));
  server.emit('connection', socket);
}

function withoutUpgrade(value: string): string {
  const kept = value
    .split(',')
    .map((option) => option.trim())
    .filter((option) => !/^(upgrade|http2-settings)$/i.test(option));
  return kept.length === 0 ? 'keep-alive' : kept.join(', ');
}

/** False when it is too late to say anything. */
function refuse(socket: Duplex, status: OutageStatus): boolean {
  if (!socket.writable || ('bytesWritten' in socket && answered(socket))) {
    socket.destroy();
    return false;
  }
  const { head, body } = outageAnswer(status, undefined);
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  for (let i = 0; i + 1 < head.headers.length; i += 2)
    text += `${head.headers[i]}: ${head.headers[i + 1]}\r\n`;
  socket.end(`${text}connection: close\r\n\r\n${Buffer.from(body).toString()}`);
  return true;
}

/** In the middle of an answer another status line would become a part of its body. */
function answered(socket: Duplex): boolean {
  // node keeps the message in progress here and documents it nowhere; a parser error is the one time we need it.
  const message: unknown = '_httpMessage' in socket ? socket._httpMessage : undefined;
  return (
    typeof message === 'object' &&
    message !== null &&
    'headersSent' in message &&
    message.headersSent === true
  );
}

function faultOf(error: Error & { readonly code?: string }): OutageStatus {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 431;
  if (error.code === 'HPE_INVALID_VERSION') return 505;
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

function sameForServers(a: GatewaySettings, b: GatewaySettings): boolean {
  return (
    a.limits.headBytes === b.limits.headBytes &&
    a.limits.perConnection === b.limits.perConnection &&
    a.timeouts.headerMs === b.timeouts.headerMs &&
    a.timeouts.clientKeepAliveMs === b.timeouts.clientKeepAliveMs
  );
}
