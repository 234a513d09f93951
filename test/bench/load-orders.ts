import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { LoadResult, OwnLoadOrders } from './load.ts';

/** What the process at hand was told to do. */
export function loadOrders(): OwnLoadOrders {
  return JSON.parse(process.argv[2]!) as OwnLoadOrders;
}

/** A connection to a proxy. Certificates are not checked: the bench made them a moment ago, and checks cost time. */
export function connectTo(url: URL, connected: () => void, localAddress?: string): Socket {
  const place = {
    host: url.hostname,
    port: Number(url.port),
    ...(localAddress === undefined ? {} : { localAddress }),
  };
  if (url.protocol === 'http:') {
    const socket = createConnection({ ...place, noDelay: true });
    socket.on('connect', connected);
    return socket;
  }
  const socket = connectTls({ ...place, rejectUnauthorized: false, servername: 'localhost' }, connected);
  socket.setNoDelay(true);
  return socket;
}

/** The last act of a load process. */
export function printResult(result: LoadResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

/** How often each kind of failure happened. */
export class Failures {
  readonly #counts = new Map<string, number>();

  add(why: string, count = 1): void {
    this.#counts.set(why, (this.#counts.get(why) ?? 0) + count);
  }

  lines(): readonly string[] {
    return [...this.#counts].map(([why, count]) => `${why} (${count} ×)`);
  }
}
