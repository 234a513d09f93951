import { latencyLog } from './latency-log.ts';
import { connectTo, Failures, loadOrders, printResult } from './load-orders.ts';
import { pacer } from './pacer.ts';
import { requestBytes } from './request.ts';
import { responseReader } from './response-reader.ts';

/** Load by the clock over keep-alive connections: `paced-process.js ORDERS`, prints one `LoadResult`. */
const { url, traffic, bodyBytes, seconds } = loadOrders();
if (traffic.kind !== 'paced') throw new Error('these orders are for another load');
const target = new URL(url);
const request = requestBytes(target.host);
/** How long what fell due may still be sent once nothing more falls due, and after that be answered. */
const LAST_SENT_MS = 500;
const LAST_ANSWERS_MS = 2_000;

const latencies = latencyLog();
const lates = latencyLog();
const failures = new Failures();
/** The connection used last is used first: as few as the proxy's latency needs. */
const free: Connection[] = [];
let under = 0;
let lastAnswerAt = 0;
let started = false;
let reported = false;
let givenUp = 0;

interface Connection {
  send(sinceMillis: number): void;
}

function open(): Promise<Connection> {
  return new Promise((ready, refuse) => {
    let since = 0;
    const reader = responseReader(bodyBytes);
    const socket = connectTo(target, () => ready(connection));
    const connection: Connection = {
      send(sinceMillis) {
        since = sinceMillis;
        under++;
        socket.write(request);
      },
    };
    socket.on('data', (bytes) => {
      try {
        if (reader.push(bytes) === 0) return;
      } catch (error) {
        return fail((error as Error).message);
      }
      lastAnswerAt = performance.now();
      latencies.add((lastAnswerAt - since) * 1000);
      under--;
      free.push(connection);
      if (paced.waiting > 0) paced.turn(lastAnswerAt);
      else if (paced.over && under === 0) report();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.on('close', () => fail('the connection was closed'));

    function fail(why: string): void {
      refuse(new Error(why));
      if (!started) return;
      failures.add(why);
      report();
    }
  });
}

for (let index = 0; index < traffic.connections; index++) free.push(await open());

const startMillis = performance.now();
const paced = pacer({
  startMillis,
  perSecond: traffic.perSecond,
  seconds,
  late: (micros) => lates.add(micros),
  send(since) {
    const connection = free.pop();
    connection?.send(since);
    return connection !== undefined;
  },
});

const turns = setInterval(() => {
  const now = performance.now();
  const after = now - startMillis - seconds * 1000;
  paced.turn(now);
  if (after < LAST_SENT_MS) return;
  // A proxy that cannot keep up is slow, not broken: what it never got to has waited at least so long.
  for (const waited of paced.giveUp(now)) {
    latencies.add(waited * 1000);
    givenUp++;
  }
  if (under > 0 && after < LAST_SENT_MS + LAST_ANSWERS_MS) return;
  if (under > 0) failures.add('no answer', under);
  report();
}, 1);
started = true;

function report(): void {
  if (reported) return;
  reported = true;
  clearInterval(turns);
  const [p50Micros = Number.NaN, p99Micros = Number.NaN] = latencies.percentiles(0.5, 0.99);
  printResult({
    requests: latencies.count - givenUp,
    seconds: (lastAnswerAt - startMillis) / 1000,
    p50Micros,
    p99Micros,
    givenUp,
    lateP99Micros: lates.percentiles(0.99)[0] ?? 0,
    errors: failures.lines(),
  });
}
