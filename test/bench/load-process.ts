import type { Socket } from 'node:net';
import { latencyLog } from './latency-log.ts';
import { connectTo, Failures, loadOrders, printResult } from './load-orders.ts';
import { requestBytes } from './request.ts';
import { responseReader } from './response-reader.ts';

/** Our own closed loop over HTTP/1.1: `load-process.js ORDERS` (`OwnLoadOrders`), prints one `LoadResult`. */
const { url, traffic, bodyBytes, seconds } = loadOrders();
const target = new URL(url);
const request = requestBytes(target.host);
const startedAt = performance.now();
const endsAt = startedAt + seconds * 1000;
/** How long the last answers may take once nothing new is sent. */
const LAST_ANSWERS_MS = 2_000;

const latencies = latencyLog();
const failures = new Failures();
const open = new Set<Socket>();
let lastAnswerAt = startedAt;

function connect(): void {
  let sentAt = 0;
  const reader = responseReader(bodyBytes);
  const socket = connectTo(target, send);
  open.add(socket);

  function send(): void {
    sentAt = performance.now();
    socket.write(request);
  }

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
    failures.add(why);
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
    failures.add('no answer', open.size);
    for (const socket of open) socket.destroy();
    report();
  },
  seconds * 1000 + LAST_ANSWERS_MS,
);

function report(): void {
  clearTimeout(overdue);
  const [p50Micros = Number.NaN, p99Micros = Number.NaN] = latencies.percentiles(0.5, 0.99);
  printResult({
    requests: latencies.count,
    seconds: (lastAnswerAt - startedAt) / 1000,
    p50Micros,
    p99Micros,
    errors: failures.lines(),
  });
}

for (let index = 0; index < traffic.connections; index++) connect();
