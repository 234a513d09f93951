import { createConnection, type Socket } from 'node:net';
import type { LoadResult } from './load.ts';
import { requestBytes } from './request.ts';
import { responseReader } from './response-reader.ts';
import { percentile } from './statistics.ts';

/** Our own load generator: `load-process.js URL CONNECTIONS BODY_BYTES SECONDS`, prints one `LoadResult`. */
const [url, connections, bodyBytes, seconds] = process.argv.slice(2);
const { hostname, port, host } = new URL(url!);
const request = requestBytes(host);
const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1000;
/** How long the last answers may take once nothing new is sent. */
const LAST_ANSWERS_MS = 2_000;

const latencies = latencyLog();
const failures = new Map<string, number>();
const open = new Set<Socket>();
let lastAnswerAt = startedAt;

function connect(): void {
  const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
  const reader = responseReader(Number(bodyBytes));
  let sentAt = 0;
  open.add(socket);

  function send(): void {
    sentAt = performance.now();
    socket.write(request);
  }

  socket.on('connect', send);
  socket.on('data', (bytes) => {
    try {
      const answers = reader.push(bytes);
      if (answers === 0) return;
      if (answers > 1 || reader.inside) throw new Error('more bytes than one answer');
    } catch (error) {
      return fail((error as Error).message);
    }
    lastAnswerAt = performance.now();
    latencies.add((lastAnswerAt - sentAt) * 1000);
    if (lastAnswerAt < endsAt) send();
    else finish();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.on('end', () => fail('the connection was closed'));

  function fail(why: string): void {
    if (!open.has(socket)) return;
    failures.set(why, (failures.get(why) ?? 0) + 1);
    finish();
  }

  function finish(): void {
    open.delete(socket);
    socket.destroy();
    if (open.size === 0) report();
  }
}

const overdue = setTimeout(
  () => {
    failures.set('no answer', open.size);
    for (const socket of open) socket.destroy();
    report();
  },
  Number(seconds) * 1000 + LAST_ANSWERS_MS,
);

function report(): void {
  clearTimeout(overdue);
  const sorted = latencies.sorted();
  const result: LoadResult = {
    requests: sorted.length,
    seconds: (lastAnswerAt - startedAt) / 1000,
    p50Micros: percentile(sorted, 0.5),
    p99Micros: percentile(sorted, 0.99),
    errors: [...failures].map(([why, count]) => `${why} (${count} ×)`),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

/** Microseconds, kept in whole: a histogram would round what we want to compare. */
function latencyLog(): { add(micros: number): void; sorted(): Float64Array } {
  let log = new Float64Array(1 << 16);
  let length = 0;
  return {
    add(micros) {
      if (length === log.length) {
        const longer = new Float64Array(log.length * 2);
        longer.set(log);
        log = longer;
      }
      log[length++] = micros;
    },
    sorted: () => log.slice(0, length).sort(),
  };
}

for (let index = 0; index < Number(connections); index++) connect();
