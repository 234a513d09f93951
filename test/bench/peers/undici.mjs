import { Pool } from 'undici';
import { ca, listen, nextOrigin, origins, tls } from './common.mjs';

/** What a careful person writes by hand today: node:http towards clients, undici's dispatch with raw headers upstream. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const pools = new Map(
  origins.map((origin) => [
    origin,
    new Pool(origin, { connections: 512, ...(ca === undefined ? {} : { connect: { ca } }) }),
  ]),
);
const scheme = tls === undefined ? 'http' : 'https';

function forwarded(request) {
  const headers = [];
  const raw = request.rawHeaders;
  for (let index = 0; index < raw.length; index += 2) {
    if (!HOP_BY_HOP.has(raw[index].toLowerCase())) headers.push(raw[index], raw[index + 1]);
  }
  headers.push('x-forwarded-for', request.socket.remoteAddress, 'x-forwarded-proto', scheme);
  headers.push('x-forwarded-host', request.headers.host, 'via', '1.1 bench');
  return headers;
}

function answered(rawHeaders) {
  const headers = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index].toString('latin1');
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, rawHeaders[index + 1].toString('latin1'));
  }
  return headers;
}

listen((request, response) => {
  let abort = () => {};
  response.on('close', () => {
    if (!response.writableFinished) abort();
  });
  pools.get(nextOrigin()).dispatch(
    {
      path: request.url,
      method: request.method,
      headers: forwarded(request),
      body: request.headers['content-length'] || request.headers['transfer-encoding'] ? request : null,
    },
    {
      onConnect(cancel) {
        abort = cancel;
      },
      onHeaders(status, rawHeaders, resume) {
        response.on('drain', resume);
        response.writeHead(status, answered(rawHeaders));
        return true;
      },
      onData: (chunk) => response.write(chunk),
      onComplete: () => response.end(),
      onError(error) {
        process.stderr.write(`${error.message}\n`);
        response.destroy();
      },
    },
  );
});
