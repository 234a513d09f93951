import http from 'node:http';
import type { AddressInfo } from 'node:net';
import proxyLibrary from 'http-proxy';

/** The library as its own documentation shows it, with what makes the comparison fair: keep-alive and X-Forwarded-*. */
const proxy = proxyLibrary.createProxyServer({
  target: process.argv[2]!,
  agent: new http.Agent({ keepAlive: true }),
  xfwd: true,
});
// The load counts an answer that is missing or wrong as an error, and an error ends the bench.
proxy.on('error', (error, _request, response) => {
  process.stderr.write(`${error.message}\n`);
  response.destroy();
});

const server = http.createServer((request, response) => proxy.web(request, response));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});

// The bench holds the other end: nothing is left running whatever becomes of it.
process.stdin.on('end', () => process.exit(0)).resume();
