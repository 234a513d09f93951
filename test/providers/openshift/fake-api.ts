import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { schema } from '../../../providers/openshift/config.ts';
import { createProvider } from '../../../providers/openshift/provider.ts';
import type { Clock, Logger } from '../../../src/core/ports.ts';
import type { LogLine, PlatformProvider, ProviderContext } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';

export const NAMESPACE = '/namespaces/shop';

export interface FakeCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface FakeAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
}

/** What a full OpenShift lists, as far as anybody looks. */
export const OPENSHIFT_GROUPS: readonly string[] = [
  'apps',
  'networking.k8s.io',
  'route.openshift.io',
  'build.openshift.io',
  'image.openshift.io',
];

type Script = (call: FakeCall) => FakeAnswer | Promise<FakeAnswer> | undefined;

/**
 * The least that can be called an API: keeps what is applied, gives it back, and does what the script says where it
 * says anything. For what a well-behaved platform never shows; all else is tested against the local one.
 */
export interface FakeApi {
  readonly url: string;
  readonly objects: Map<string, unknown>;
  readonly calls: FakeCall[];
  readonly lines: LogLine[];
  readonly context: ProviderContext;
  script(script: Script): void;
  provider(): PlatformProvider;
  close(): Promise<void>;
}

export async function fakeApi(): Promise<FakeApi> {
  const objects = new Map<string, unknown>();
  const calls: FakeCall[] = [];
  const lines: LogLine[] = [];
  const providers: PlatformProvider[] = [];
  const clock = hurriedClock();
  let scripted: Script = () => undefined;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const url = new URL(request.url ?? '/', 'http://fake');
    const call = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      body: Buffer.concat(parts),
    };
    calls.push(call);
    const answer = (await scripted(call)) ?? standard(call);
    response.statusCode = answer.status;
    response.setHeader('content-type', answer.text === undefined ? 'application/json' : 'text/plain');
    response.end(answer.text ?? JSON.stringify(answer.json));
  }

  function standard(call: FakeCall): FakeAnswer {
    if (call.method === 'PATCH') {
      objects.set(call.path, { ...JSON.parse(call.body.toString()), ...stateOf(call.path) });
      return { status: 200, json: objects.get(call.path) };
    }
    if (call.method === 'DELETE') {
      return objects.delete(call.path) ? { status: 200, json: {} } : refuse(404, 'not found');
    }
    if (call.path === '/apis') {
      return { status: 200, json: { groups: OPENSHIFT_GROUPS.map((name) => ({ name })) } };
    }
    const there = objects.get(call.path);
    if (there !== undefined) return { status: 200, json: there };
    if (call.query.has('labelSelector')) {
      const items = [...objects].flatMap(([path, item]) => (path.startsWith(`${call.path}/`) ? [item] : []));
      return { status: 200, json: { metadata: {}, items } };
    }
    return refuse(404, 'not found');
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    objects,
    calls,
    lines,
    context: {
      signal: new AbortController().signal,
      now: clock.now,
      log: (line) => void lines.push(line),
    },
    script: (next) => {
      scripted = next;
    },
    provider() {
      const options = schema.parse({ api: url, namespace: 'shop', credentials: { token: 'planted-token' } });
      const made = createProvider({ platform: 'ocp', options, clock, random: () => 0, logger: silent });
      providers.push(made);
      return made;
    },
    async close() {
      for (const provider of providers) await provider.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Routers take every route at once. */
function stateOf(path: string): object {
  const conditions = [{ type: 'Admitted', status: 'True' }];
  return path.includes('/routes/') ? { status: { ingress: [{ host: 'shop.test', conditions }] } } : {};
}

/** A Status, as the API refuses. */
export function refuse(status: number, message: string): FakeAnswer {
  return { status, json: { kind: 'Status', status: 'Failure', message, code: status } };
}

/** Time passes only by waiting, and waiting takes a millisecond. */
function hurriedClock(): Clock {
  let now = 1_000_000;
  return {
    ...systemClock,
    now: () => now,
    monotonic: () => now,
    async sleep(ms, signal) {
      now += ms;
      await systemClock.sleep(1, signal);
    },
  };
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
