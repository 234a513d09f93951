import http from 'node:http';
import net, { type Socket } from 'node:net';
import type { GatewaySettings } from '../../src/core/settings.ts';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { type Cleanup, type CreateWire, listen, startGateway, tableOf } from '../gateway/harness.ts';

/** One request as an origin of Node's has read it. */
export interface Arrival {
  readonly method: string;
  readonly target: string;
  /** Names in lower case with their values, sorted; without what each gateway says of itself and its connections. */
  readonly fields: readonly string[];
  readonly body: string;
}

export interface Side {
  readonly port: number;
  arrivals: Arrival[];
  /** What the origin could not make sense of. */
  faults: string[];
}

/** A gateway with the byte wire and one with the compat wire, and an origin of their own behind each. */
export interface Lane {
  readonly fast: Side;
  readonly compat: Side;
}

/** Different by design: framing is written anew and shows in the body, the others name the gateway itself. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'via',
  'x-forwarded-port',
  'x-request-id',
  'traceparent',
]);

export async function createLane(cleanup: Cleanup): Promise<Lane> {
  return {
    fast: await createSide(cleanup, (settings, clock) => createHttp1Wire(settings, clock, { poison: true })),
    compat: await createSide(cleanup, createCompatWire),
  };
}

async function createSide(cleanup: Cleanup, createWire: CreateWire): Promise<Side> {
  const side: { port: number; arrivals: Arrival[]; faults: string[] } = { port: 0, arrivals: [], faults: [] };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('error', () => undefined);
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method = '', url: target = '', rawHeaders } = request;
      side.arrivals.push({ method, target, fields: fieldsOf(rawHeaders), body });
      response.end('served');
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE')
      side.faults.push(error.message);
    socket.destroy();
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  cleanup.tasks.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const never = (base: GatewaySettings): Partial<GatewaySettings> => ({
    ejection: { ...base.ejection, consecutive: 1_000_000, minRequests: 1_000_000 },
  });
  side.port = (await startGateway(cleanup, createWire, tableOf({ a: { urls: [url] } }), never)).port;
  return side;
}

function fieldsOf(raw: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!OWN_FIELDS.has(name)) fields.push(`${name}: ${raw[i + 1]}`);
  }
  return fields.sort();
}

/** A connection that counts the final answers it gets. */
export class Client {
  answers = 0;
  isClosed = false;
  text = '';
  readonly #socket: Socket;
  #changed: () => void = () => undefined;

  constructor(port: number, localAddress: string | undefined) {
    const from = localAddress === undefined ? {} : { localAddress };
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true, ...from });
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.answers = this.text.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
      this.#changed();
    });
    this.#socket.on('close', () => {
      this.isClosed = true;
      this.#changed();
    });
  }

  write(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Until it has that many answers, is closed, or the time is over. */
  wait(answers: number, ms: number): Promise<void> {
    return this.#until(() => this.answers >= answers, ms);
  }

  closed(ms: number): Promise<void> {
    return this.#until(() => false, ms);
  }

  #until(holds: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#changed = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#changed = () => {
        if (holds() || this.isClosed) done();
      };
      this.#changed();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
