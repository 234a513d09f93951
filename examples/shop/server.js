// A small shop: no dependencies, so that it runs wherever Node does.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { recordOrder } from './orders.js';
import { readSession, writeSession } from './session.js';
import { acceptEcho } from './websocket.js';

const version = readFileSync(new URL('./VERSION', import.meta.url), 'utf8').trim();
const release = process.env.SLUICE_RELEASE ?? 'none';
const platform = process.env.SLUICE_PLATFORM ?? 'none';
const instance = randomBytes(3).toString('hex');
const products = ['weir', 'lock', 'gate', 'mill race', 'penstock'];

const server = createServer((request, response) => {
  // Named on every answer: whoever stands in front can prove which release served.
  response.setHeader('x-release', release);
  response.setHeader('x-platform', platform);
  response.setHeader('x-instance', instance);
  const { pathname } = new URL(request.url, 'http://shop');
  const route = routes[`${request.method} ${pathname}`];
  if (route) route(request, response);
  else send(response, 404, { error: 'no such page' });
});

const routes = {
  'GET /healthz': (_request, response) => send(response, 200, { status: 'ok', release, version }),
  'GET /': (request, response) => {
    const session = readSession(request);
    session.visits = (session.visits ?? 0) + 1;
    writeSession(response, session);
    send(response, 200, { shop: 'The Sluice Shop', version, platform, visits: session.visits, products });
  },
  'GET /products': (_request, response) => send(response, 200, { products, version }),
  'POST /orders': (request, response) => {
    readJson(request, response, (order) => {
      if (typeof order.id !== 'string') return send(response, 400, { error: 'an order needs an id' });
      recordOrder({ id: order.id, platform, instance });
      const session = readSession(request);
      session.orders = [...(session.orders ?? []), order.id].slice(-5);
      writeSession(response, session);
      send(response, 201, { id: order.id, platform, orders: session.orders });
    });
  },
};

function readJson(request, response, use) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    try {
      use(JSON.parse(Buffer.concat(parts).toString('utf8') || '{}'));
    } catch {
      send(response, 400, { error: 'that is no JSON' });
    }
  });
}

function send(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

server.on('upgrade', acceptEcho);
// Longer than any router in front keeps an idle connection: the router closes first, so none is closed under a request.
server.keepAliveTimeout = 75_000;
server.listen(Number(process.env.PORT ?? 3000), () => console.log(`shop ${version} (${release}) listens`));

process.on('SIGTERM', () => {
  // Finish what is being answered, take nothing new.
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 5_000).unref();
});
