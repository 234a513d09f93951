import https from 'node:https';
import net from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { selfSignedCertificate } from '../../../src/lib/self-signed.ts';
import { ask, type Cleanup, listen, startGateway, tableOf } from '../harness.ts';

const HOST = 'shop.example.com';
/** More than the system buffers for a client that does not read. */
const SIZE = 12_000_000;

let cleanup: Cleanup = { tasks: [] };

beforeEach(() => {
  cleanup = { tasks: [] };
});
afterEach(async () => {
  for (const task of cleanup.tasks) await task();
});

it('loses and changes nothing between an encrypted origin and a slow client', async () => {
  const { certificate: cert, key } = selfSignedCertificate([HOST]);
  const content = Buffer.alloc(SIZE);
  for (let i = 0; i + 4 <= SIZE; i += 4) content.writeUInt32BE(i, i);
  const connections = new Set<unknown>();
  const server = https.createServer({ cert, key }, (request, response) => {
    connections.add(request.socket);
    if (request.method === 'GET') {
      response.end(content);
      return;
    }
    const got: Buffer[] = [];
    request.on('data', (chunk: Buffer) => got.push(chunk));
    request.on('end', () => response.end(Buffer.concat(got).equals(content) ? 'same' : 'different'));
  });
  const origin = await listen(server);
  cleanup.tasks.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const table = tableOf({ a: { urls: [`https://127.0.0.1:${origin}`], sni: HOST, ca: cert } });
  const { port } = await startGateway(
    cleanup,
    (settings, clock) => createHttp1Wire(settings, clock, { poison: true }),
    table,
  );

  const socket = net.connect({ host: '127.0.0.1', port });
  cleanup.tasks.unshift(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (chunks.length % 40 !== 1) return;
    socket.pause();
    setTimeout(() => socket.resume(), chunks.length === 1 ? 200 : 5);
  });
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => socket.on('close', resolve));
  const answer = Buffer.concat(chunks);
  expect(answer.subarray(answer.length - SIZE).equals(content)).toBe(true);

  expect((await ask(port, { method: 'PUT', body: content })).body).toBe('same');
  expect(connections.size).toBe(1);
}, 20_000);
