import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import type { SelfSigned } from '../../../src/lib/self-signed.ts';
import type { CloudBase } from './cloud.ts';
import type { Endpoint } from './engine/instances.ts';
import { createIce } from './ice.ts';
import { createListener } from './listener.ts';
import type { RouteTable } from './route-table.ts';
import {
  dialFailure,
  emptyHost,
  endpointFailure,
  endRaw,
  type InstanceWish,
  invalidInstanceHeader,
  noEndpoints,
  parseInstanceWish,
  type RouterError,
  renderRouterError,
  requestTooLarge,
  unknownInstance,
  unknownRoute,
} from './router-errors.ts';
import { answerHeaders, requestHeaders } from './router-headers.ts';
import { stickyCookie, stickyInstance } from './router-sticky.ts';
import { createUpgrades } from './router-upgrades.ts';

const DIAL_MS = 5_000;
/** gorouter's own health check by User-Agent: it answers without looking at any app. */
const MONITOR = 'HTTP-Monitor/1.1';

export interface Router {
  readonly port: number;
  readonly url: string;
  open(): Promise<void>;
  shut(): Promise<void>;
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/**
 * The foundation's front door: Host and path to a routable instance, as gorouter does it. Plain requests are forwarded
 * by hand: a body may leave only once an instance is connected, so that a failed dial can be tried on the next one,
 * and must stop on its way when the router freezes. http-proxy can do neither.
 */
export function createRouter(cloud: CloudBase, table: RouteTable, port: number, tls?: SelfSigned): Router {
  const ice = createIce();
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 100 });
  const upgrades = createUpgrades(cloud.clock, ice);
  const listener = createListener(port, handleRequest, {
    onUpgrade: handleUpgrade,
    onOversized: (socket) => endRaw(socket, requestTooLarge()),
    maxHeaderSize: 1_048_576,
    tls,
  });
  let turn = 0;

  /** In the order in which they are tried. */
  function choose(request: IncomingMessage): readonly Endpoint[] | RouterError {
    const host = request.headers.host ?? '';
    if (host === '') return emptyHost();
    const wish = instanceWish(request);
    if (wish === 'app' || wish === 'process')
      return invalidInstanceHeader(wish === 'app' ? 'App' : 'Process');
    const found = table.lookup(host.replace(/:\d+$/, ''), (request.url ?? '/').split('?', 1)[0] ?? '/');
    if (found.found === 'nothing') return wish ? unknownInstance(host, wish) : unknownRoute(host);
    if (found.found === 'empty') return wish ? unknownInstance(host, wish) : noEndpoints(host);
    if (!wish) {
      turn += 1;
      const sticky = stickyInstance(request.headers.cookie);
      const order = rotated(found.endpoints, turn);
      // An instance that is gone is nobody's: whoever is next in turn takes the session over.
      return sticky === undefined
        ? order
        : order.toSorted((a, b) => Number(b.instanceGuid === sticky) - Number(a.instanceGuid === sticky));
    }
    const named = found.endpoints.filter((one) => isWished(one, wish));
    return named.length > 0 ? named : unknownInstance(host, wish);
  }

  function handleRequest(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => response.destroy());
    void ice.passable().then(() => {
      // Whoever gave up while we stood still must not have its request carried out later.
      if (response.destroyed) return;
      if (request.headers['user-agent'] === MONITOR) return void response.end('ok\n');
      const chosen = choose(request);
      if (!isEndpoints(chosen)) return sendError(response, chosen);
      forward(request, response, chosen, cloud.newId());
    });
  }

  function dial(
    request: IncomingMessage,
    endpoint: Endpoint,
    requestId: string,
    pooled: boolean,
  ): ClientRequest {
    return httpRequest({
      host: '127.0.0.1',
      port: endpoint.port,
      method: request.method,
      path: request.url,
      headers: requestHeaders(request, endpoint, requestId, cloud.clock.now()),
      agent: pooled ? agent : false,
      setHost: false,
    });
  }

  function forward(
    request: IncomingMessage,
    response: ServerResponse,
    [endpoint, ...others]: readonly Endpoint[],
    requestId: string,
  ): void {
    if (!endpoint) {
      sendError(response, endpointFailure('no more endpoints'));
      return;
    }
    const bodyless = !hasBody(request);
    // A kept connection may be closed under our hands; only what can be sent again may risk that.
    const pooled = bodyless && isSafe(request.method);
    const upstream = dial(request, endpoint, requestId, pooled);
    let connected = false;
    let answered = false;

    whenConnected(upstream, () => {
      connected = true;
      if (bodyless) upstream.end();
      else ice.pipe(request, upstream);
    });
    upstream.on('response', (answer) => {
      answered = true;
      void ice.passable().then(() => {
        if (response.destroyed) return void upstream.destroy();
        response.sendDate = false;
        if (request.headers.expect !== undefined) response.shouldKeepAlive = false;
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, [
          ...answerHeaders(answer, {
            requestId,
            semicolons: (request.url ?? '').split('?')[1]?.includes(';') ?? false,
            cookie: stickyCookie(
              answer.headers['set-cookie'] ?? [],
              stickyInstance(request.headers.cookie),
              endpoint.instanceGuid,
              '',
            ),
          }),
        ]);
        ice.pipe(answer, response);
      });
      // A body cut short must not look complete.
      answer.on('close', () => !answer.complete && response.destroy());
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      // Once the app has answered, its answer decides; it may refuse a body it does not want to read.
      if (answered) return;
      const again = !connected ? others : upstream.reusedSocket ? [endpoint, ...others] : [];
      void ice.passable().then(() => {
        if (response.destroyed) return;
        if (again.length > 0) forward(request, response, again, requestId);
        else sendError(response, dialFailure(error));
      });
    });
    response.once('close', () => !response.writableFinished && upstream.destroy());
  }

  function handleUpgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
    client.on('error', () => client.destroy());
    void ice.passable().then(() => {
      if (client.destroyed) return;
      const chosen = choose(request);
      if (!isEndpoints(chosen)) return endRaw(client, chosen);
      const requestId = cloud.newId();
      void upgrades.serve({ request, client, head }, chosen, (endpoint) =>
        requestHeaders(request, endpoint, requestId, cloud.clock.now()),
      );
    });
  }

  return {
    get port() {
      return listener.port;
    },
    get url() {
      return listener.url;
    },
    open: listener.open,
    shut: listener.shut,
    freeze: ice.freeze,
    thaw: ice.thaw,
    async close() {
      ice.thaw();
      await listener.shut();
      agent.destroy();
      upgrades.close();
    },
  };
}

function isEndpoints(chosen: readonly Endpoint[] | RouterError): chosen is readonly Endpoint[] {
  return Array.isArray(chosen);
}

/** The kind of header that cannot be read, a wish, or none. */
function instanceWish(request: IncomingMessage): InstanceWish | 'app' | 'process' | undefined {
  for (const by of ['app', 'process'] as const) {
    const header = request.headers[`x-cf-${by}-instance`];
    if (typeof header === 'string') return parseInstanceWish(by, header) ?? by;
  }
  return undefined;
}

function isWished(endpoint: Endpoint, wish: InstanceWish): boolean {
  const guid = wish.by === 'app' ? endpoint.appGuid : endpoint.processGuid;
  return guid === wish.guid && (wish.index === undefined || wish.index === endpoint.index);
}

function rotated(endpoints: readonly Endpoint[], turn: number): readonly Endpoint[] {
  const start = turn % endpoints.length;
  return [...endpoints.slice(start), ...endpoints.slice(0, start)];
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function isSafe(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Runs when the connection stands: from then on the instance may have seen the request. */
function whenConnected(upstream: ClientRequest, run: () => void): void {
  upstream.once('socket', (socket) => {
    if (!socket.connecting) return run();
    socket.setTimeout(DIAL_MS, () => socket.connecting && socket.destroy(new Error('i/o timeout')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      run();
    });
  });
}

function sendError(response: ServerResponse, error: RouterError): void {
  const { body, headers } = renderRouterError(error);
  response.writeHead(error.status, headers).end(body);
}
