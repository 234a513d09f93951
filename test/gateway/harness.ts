import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { originId } from '../../src/core/ids.ts';
import type { Clock, Logger } from '../../src/core/ports.ts';
import type { RoutingTable, TableRoute, TableTarget } from '../../src/core/routing-table.ts';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../src/core/settings.ts';
import type { EjectionSignal, TrafficSignal } from '../../src/core/signals.ts';
import { createGateway, type Gateway, type GatewayDeps } from '../../src/gateway/gateway.ts';
import type { Wire } from '../../src/gateway/wire.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';

export type CreateWire = (settings: GatewaySettings, clock: Clock) => Wire;

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface TestOrigin {
  readonly url: string;
  readonly port: number;
  /** Method and target of what arrived, in order. */
  readonly seen: string[];
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export interface Cleanup {
  readonly tasks: (() => Promise<unknown> | unknown)[];
}

export function listen(server: net.Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

export async function httpOrigin(
  cleanup: Cleanup,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  prepare?: (server: http.Server) => void,
): Promise<TestOrigin> {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    handler(request, response);
  });
  server.keepAliveTimeout = 30_000;
  prepare?.(server);
  return track(cleanup, server, seen);
}

/** An origin in bare bytes. */
export async function rawOrigin(cleanup: Cleanup, serve: (socket: Socket) => void): Promise<TestOrigin> {
  const seen: string[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  return track(cleanup, server, seen);
}

async function track(cleanup: Cleanup, server: net.Server, seen: string[]): Promise<TestOrigin> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) server.close(() => resolve());
      else resolve();
    });
  cleanup.tasks.push(async () => {
    await nothingOpen(sockets, port);
    await close();
  });
  return { url: `http://127.0.0.1:${port}`, port, seen, sockets, close };
}

/** The gateway has closed by now: whatever connection it did not end is a leak. */
async function nothingOpen(sockets: ReadonlySet<Socket>, port: number): Promise<void> {
  // Who does not read does not notice the end.
  for (const socket of sockets) socket.resume();
  const isOpen = (socket: Socket): boolean => !socket.readableEnded && !socket.destroyed;
  await until(() => ![...sockets].some(isOpen), 1_000).catch(() => {
    throw new Error(
      `leak: ${[...sockets].filter(isOpen).length} connections to the origin at ${port} stayed open`,
    );
  });
}

/** A port nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface TargetWish extends Partial<Omit<TableTarget, 'origins'>> {
  readonly urls: readonly string[];
}

let version = 0;

export function tableOf(targets: Record<string, TargetWish>, route: Partial<TableRoute> = {}): RoutingTable {
  version += 1;
  return {
    version,
    publishedAt: 0,
    routes: [
      {
        application: 'shop',
        host: '*',
        path: '/',
        publicHost: 'map',
        retry: 'safe',
        targets: Object.entries(targets).map(([platform, { urls, ...wish }]) => ({
          platform,
          release: undefined,
          share: 1,
          state: 'active',
          hostHeader: undefined,
          sni: undefined,
          ...wish,
          origins: urls.map((url) => ({
            id: originId(wish.platform ?? platform, url, wish.trial && wish.release),
            url,
          })),
        })),
        ...route,
      },
    ],
  };
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly ejections: EjectionSignal[];
  readonly traffic: TrafficSignal[];
  readonly drained: number[];
}

/** Timeouts are short enough for tests and long enough for a busy machine. */
export async function startGateway(
  cleanup: Cleanup,
  createWire: CreateWire,
  table: RoutingTable,
  change: (settings: GatewaySettings) => Partial<GatewaySettings> = () => ({}),
  more: Partial<GatewayDeps> = {},
): Promise<TestGateway> {
  const base: GatewaySettings = {
    ...DEFAULT_GATEWAY,
    listen: [{ host: '127.0.0.1', port: 0 }],
    timeouts: { ...DEFAULT_GATEWAY.timeouts, drainMs: 500 },
  };
  const settings = { ...base, ...change(base) };
  const gateway = createGateway({
    worker: 1,
    settings,
    clock: systemClock,
    random: seededRandom(7),
    logger: silent,
    wire: createWire(settings, systemClock),
    ...more,
  });
  const ejections: EjectionSignal[] = [];
  const traffic: TrafficSignal[] = [];
  const drained: number[] = [];
  gateway.onEjection((signal) => ejections.push(signal));
  gateway.onTraffic((signals) => traffic.push(...signals));
  gateway.onDrained((drainedVersion) => drained.push(drainedVersion));
  await gateway.start();
  cleanup.tasks.unshift(async () => {
    await gateway.close();
    await until(() => gateway.metrics().active === 0, 1_000).catch(() => {
      throw new Error(`leak: ${gateway.metrics().active} exchanges`);
    });
    if (gateway.metrics().upgrades !== 0) throw new Error('leak: tunnels');
  });
  gateway.swap(table);
  return { gateway, port: gateway.ports[0]!, ejections, traffic, drained };
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
  readonly ms: number;
  readonly port: number | undefined;
}

export interface AskOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly agent?: http.Agent;
}

/** One request; rejects when the answer does not come whole. */
export function ask(port: number, options: AskOptions = {}): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        method: options.method ?? 'GET',
        path: options.path ?? '/',
        headers: options.headers ?? {},
        agent: options.agent ?? false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        const localPort = request.socket?.localPort;
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('close', () => {
          if (!response.complete) return reject(new Error('cut off'));
          return resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            body: Buffer.concat(chunks).toString(),
            trailers: response.trailers,
            ms: performance.now() - startedAt,
            port: localPort,
          });
        });
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Sends bytes as they are and gives back all that came until the other side closed. */
export function askRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port }, () => socket.write(text, 'latin1'));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** Resolves as soon as it holds; fails after the time. */
export async function until(holds: () => boolean, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
