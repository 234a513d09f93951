import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

/** What the bench ordered: `{ origins, ca?, tls?: { cert, key } }`, certificates as file names. */
const orders = JSON.parse(process.argv[2]);

export const origins = orders.origins;
export const ca = orders.ca === undefined ? undefined : readFileSync(orders.ca);
export const tls =
  orders.tls === undefined
    ? undefined
    : { cert: readFileSync(orders.tls.cert), key: readFileSync(orders.tls.key) };

let turn = 0;

/** Two origins in turn, as every contender does it. */
export function nextOrigin() {
  turn = (turn + 1) % origins.length;
  return origins[turn];
}

/** A server of node's own on loopback, with or without TLS. */
export function listen(handler) {
  const server = tls === undefined ? http.createServer(handler) : https.createServer(tls, handler);
  // Longer than any work here: a connection that the peer closes counts as an error.
  server.keepAliveTimeout = 60_000;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => announce(server.address().port));
}

export function announce(port) {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
}

// The bench holds the other end: nothing is left running whatever becomes of it.
process.stdin.on('end', () => process.exit(0)).resume();
