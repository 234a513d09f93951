import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../../../src/core/ports.ts';
import { type Balancer, cookieValue } from './balance.ts';
import { type Client, isHopByHop, requestHeaders } from './forwarded.ts';
import * as pages from './pages.ts';
import type { RouterEndpoint, RouterRoute } from './table.ts';

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly balancer: Balancer;
  /** The loopback port behind a pod's address; undefined: nobody listens. */
  readonly resolve: (endpoint: RouterEndpoint) => number | undefined;
  readonly connectRetryMs: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const RETRIES = 3;
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

interface Connected {
  readonly endpoint: RouterEndpoint;
  readonly socket: Socket;
}

/** One request, from the choice of an endpoint to the last byte. */
export async function serve(
  deps: ExchangeDeps,
  route: RouterRoute,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const connected = await connectEndpoint(deps, route, incoming);
  if (!connected) return raw(response, pages.unavailable(incoming.method ?? 'GET'));
  if (response.destroyed || incoming.destroyed) {
    connected.socket.destroy();
    return;
  }
  const outgoing = send(route, incoming, connected.socket);
  const stopTimer = deps.clock.after(route.timeoutMs, () => {
    raw(response, pages.gatewayTimeout(incoming.method ?? 'GET'));
    outgoing.destroy();
  });
  incoming.pipe(outgoing);
  response.on('close', () => {
    stopTimer();
    if (!response.writableFinished) outgoing.destroy();
  });
  outgoing.on('error', () => {
    stopTimer();
    if (response.headersSent) response.destroy();
    else raw(response, pages.badGateway(incoming.method ?? 'GET'));
  });
  outgoing.on('information', (info) => {
    if (info.statusCode === 103) response.writeEarlyHints({ link: String(info.headers['link'] ?? '') });
  });
  outgoing.on('response', (answer) => {
    stopTimer();
    if (response.destroyed) return void answer.destroy();
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      responseHeaders(answer, affinity(route, connected.endpoint, incoming)).flat(),
    );
    answer.pipe(response);
    // Cut short by the application: the client must see it cut short too.
    answer.on('error', () => response.destroy());
    answer.on('aborted', () => response.destroy());
  });
}

/** A WebSocket: both ends joined once the application agreed, and its handshake is right. */
export async function serveUpgrade(
  deps: ExchangeDeps,
  route: RouterRoute,
  incoming: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  client.on('error', () => undefined);
  const connected = await connectEndpoint(deps, route, incoming);
  if (!connected || client.destroyed) {
    connected?.socket.destroy();
    client.end(pages.unavailable('GET'));
    return;
  }
  const protocol = incoming.headers.upgrade ?? 'websocket';
  const outgoing = send(route, incoming, connected.socket, [
    ['Connection', 'Upgrade'],
    ['Upgrade', protocol],
  ]);
  const cookie = affinity(route, connected.endpoint, incoming);
  outgoing.on('error', () => client.end(pages.badGateway('GET')));
  client.on('close', () => outgoing.destroy());
  outgoing.on('response', (answer) => {
    client.write(headOf(answer, responseHeaders(answer, cookie), ['Connection: close']));
    answer.pipe(client);
  });
  outgoing.on('upgrade', (answer, upstream, firstBytes) => {
    upstream.on('error', () => client.destroy());
    if (protocol.toLowerCase() === 'websocket' && !isAccepted(incoming, answer)) {
      upstream.destroy();
      client.end(pages.badGateway('GET'));
      return;
    }
    client.write(
      headOf(answer, responseHeaders(answer, cookie), ['Connection: Upgrade', `Upgrade: ${protocol}`]),
    );
    if (firstBytes.length > 0) client.write(firstBytes);
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  outgoing.end();
}

/**
 * A connection to an endpoint: one that refuses is tried again three times, a second apart, when it is the only one;
 * with others the next is taken at once.
 */
async function connectEndpoint(
  deps: ExchangeDeps,
  route: RouterRoute,
  incoming: IncomingMessage,
): Promise<Connected | undefined> {
  const tried = new Set<string>();
  const cookie = cookieValue(incoming.headers.cookie, route.cookie);
  for (let attempt = 0; attempt <= RETRIES; attempt++) {
    const endpoint =
      deps.balancer.choose(route, cookie, tried) ?? deps.balancer.choose(route, cookie, new Set());
    if (!endpoint) return undefined;
    const port = deps.resolve(endpoint);
    const socket = port === undefined ? undefined : await open(port);
    if (socket) return { endpoint, socket };
    tried.add(endpoint.id);
    const others = route.endpoints.some((other) => other.weight > 0 && !tried.has(other.id));
    if (!others && attempt < RETRIES) await deps.clock.sleep(deps.connectRetryMs);
  }
  return undefined;
}

function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: CONNECT_TIMEOUT_MS, noDelay: true });
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      socket.removeAllListeners('timeout');
      resolve(socket);
    });
    socket.once('timeout', () => socket.destroy());
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}

function send(
  route: RouterRoute,
  incoming: IncomingMessage,
  socket: Socket,
  extra: readonly [string, string][] = [],
): ClientRequest {
  const lines = requestHeaders(incoming.rawHeaders, clientOf(incoming), route.forwarded);
  if (incoming.headers['transfer-encoding'] !== undefined) lines.push(['Transfer-Encoding', 'chunked']);
  return request({
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: [...lines, ...extra].flat(),
    createConnection: () => socket,
  });
}

export function isSecure(incoming: IncomingMessage): boolean {
  return incoming.socket instanceof TLSSocket;
}

function clientOf(incoming: IncomingMessage): Client {
  const secure = isSecure(incoming);
  const host = (incoming.headers.host ?? '').toLowerCase();
  return {
    address: '127.0.0.1',
    host,
    port: /:(\d+)$/.exec(host)?.[1] ?? (secure ? '443' : '80'),
    protocol: secure ? 'https' : 'http',
  };
}

function responseHeaders(answer: IncomingMessage, cookie: string | undefined): [string, string][] {
  const lines: [string, string][] = [];
  const { rawHeaders } = answer;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!isHopByHop(name)) lines.push([name, rawHeaders[index + 1] ?? '']);
  }
  if (cookie !== undefined) lines.push(['set-cookie', cookie]);
  return lines;
}

/** The cookie that binds a client to its endpoint; undefined while it already holds the right one. */
function affinity(
  route: RouterRoute,
  endpoint: RouterEndpoint,
  incoming: IncomingMessage,
): string | undefined {
  if (route.cookie === undefined || cookieValue(incoming.headers.cookie, route.cookie) === endpoint.id)
    return undefined;
  // Not marked Secure where plain HTTP is let in too: the client would not send it back there.
  const secure = route.secure && route.insecure !== 'Allow' ? '; Secure; SameSite=None' : '';
  return `${route.cookie}=${endpoint.id}; path=/; HttpOnly${secure}`;
}

function headOf(
  answer: IncomingMessage,
  lines: readonly [string, string][],
  extra: readonly string[],
): string {
  const headers = [...lines.map(([name, value]) => `${name}: ${value}`), ...extra];
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${headers.join('\r\n')}\r\n\r\n`;
}

function isAccepted(incoming: IncomingMessage, answer: IncomingMessage): boolean {
  const key = incoming.headers['sec-websocket-key'] ?? '';
  const wanted = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  return answer.headers['sec-websocket-accept'] === wanted;
}

/** Node cannot say HTTP/1.0, so the router's own pages go to the socket as they are; the connection ends with them. */
export function raw(response: ServerResponse, page: string): void {
  if (response.destroyed || response.headersSent) return;
  const { socket } = response;
  if (socket) return void socket.end(page);
  // Pipelined behind another one: its turn comes with its socket.
  response.once('socket', (own: Socket) => own.end(page));
}
