import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/**
 * The application behind the proxies: `origin-process.js BODY_BYTES [CERT KEY]`, on two ports. It answers everything
 * alike from one prepared buffer, because it shares a core with the load and must not become what is measured.
 * Requests have no bodies here.
 */
const bodyBytes = Number(process.argv[2]);
const [cert, key] = process.argv.slice(3).map((file) => readFileSync(file));
const END = Buffer.from('\r\n\r\n');
const HEAD = [
  'HTTP/1.1 200 OK',
  'Date: Mon, 02 Mar 2026 10:00:00 GMT',
  'Content-Type: text/html; charset=utf-8',
  `Content-Length: ${bodyBytes}`,
  'Cache-Control: private, max-age=0, must-revalidate',
  'ETag: "5e1d-7f3a9c2b"',
  'Last-Modified: Sun, 01 Mar 2026 22:14:07 GMT',
  'Vary: Accept-Encoding',
  'X-Request-Id: 7d2f6c0e-54c1-4c9a-9a53-0b1b6f1d2c3e',
  'X-Content-Type-Options: nosniff',
  'Referrer-Policy: strict-origin-when-cross-origin',
  'Strict-Transport-Security: max-age=31536000',
];
const answer = Buffer.from(`${HEAD.join('\r\n')}\r\n\r\n${'x'.repeat(bodyBytes)}`, 'latin1');

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END)) {
      rest = rest.subarray(end + END.length);
      socket.write(answer);
    }
  });
  // Clients end their connections as they like; whatever they miss they report themselves.
  socket.on('error', () => socket.destroy());
}

function server(): Server {
  if (cert === undefined || key === undefined) return createServer({ noDelay: true }, serve);
  return createTlsServer({ cert, key, noDelay: true }, serve);
}

function listen(): Promise<number> {
  const listening = server();
  return new Promise((ready) => {
    listening.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
      const address = listening.address();
      ready(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

process.stdout.write(`${JSON.stringify({ ports: [await listen(), await listen()] })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
