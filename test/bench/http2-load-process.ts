import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { latencyLog } from './latency-log.ts';
import { Failures, loadOrders, printResult } from './load-orders.ts';
import { REQUEST_HEADERS, REQUEST_PATH } from './request.ts';

/** Our own closed loop over HTTP/2, where h2load is missing: `http2-load-process.js ORDERS`, prints one `LoadResult`. */
const { url, traffic, bodyBytes, seconds } = loadOrders();
const streams = traffic.kind === 'closed' ? traffic.streams : 1;
const headers = {
  ':path': REQUEST_PATH,
  ...Object.fromEntries(REQUEST_HEADERS.map(([name, value]) => [name.toLowerCase(), value])),
};
const startedAt = performance.now();
const endsAt = startedAt + seconds * 1000;
const LAST_ANSWERS_MS = 2_000;

const latencies = latencyLog();
const failures = new Failures();
let under = 0;
let lastAnswerAt = startedAt;
let reported = false;

function ask(session: ClientHttp2Session): void {
  const sentAt = performance.now();
  const stream = session.request(headers, { endStream: true });
  let status: number | undefined;
  let got = 0;
  under++;
  stream.on('response', (answer) => {
    status = answer[':status'];
  });
  stream.on('data', (bytes: Buffer) => {
    got += bytes.length;
  });
  stream.on('error', (error: NodeJS.ErrnoException) => failures.add(error.code ?? error.message));
  stream.on('close', () => {
    under--;
    if (status !== 200) failures.add(`status ${status}`);
    else if (got !== bodyBytes) failures.add(`${got} bytes instead of ${bodyBytes}`);
    else {
      lastAnswerAt = performance.now();
      latencies.add((lastAnswerAt - sentAt) * 1000);
      if (lastAnswerAt < endsAt) return ask(session);
    }
    if (under === 0) report();
  });
}

setTimeout(
  () => {
    if (under > 0) failures.add('no answer', under);
    report();
  },
  seconds * 1000 + LAST_ANSWERS_MS,
);

function report(): void {
  if (reported) return;
  reported = true;
  const [p50Micros = Number.NaN, p99Micros = Number.NaN] = latencies.percentiles(0.5, 0.99);
  printResult({
    requests: latencies.count,
    seconds: (lastAnswerAt - startedAt) / 1000,
    p50Micros,
    p99Micros,
    errors: failures.lines(),
  });
}

for (let index = 0; index < traffic.connections; index++) {
  const session = connectHttp2(url, { rejectUnauthorized: false });
  session.on('error', (error: NodeJS.ErrnoException) => failures.add(error.code ?? error.message));
  session.on('connect', () => {
    for (let stream = 0; stream < streams; stream++) ask(session);
  });
}
