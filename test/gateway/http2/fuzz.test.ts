import { afterEach, expect, it } from '@jest/globals';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { type Cleanup, httpOrigin, startGateway, tableOf, until } from '../harness.ts';
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  headers,
  POST,
  PREFACE,
  RawClient,
  setting,
  word,
} from './raw-client.ts';

const cleanup: Cleanup = { tasks: [] };

afterEach(async () => {
  for (const task of cleanup.tasks) await task();
});

it('whatever frames come in whatever order, the gateway goes on and nothing is left behind', async () => {
  const random = seededRandom(41);
  const pick = (most: number): number => Math.floor(random() * most);
  const origin = await httpOrigin(cleanup, (request, response) => {
    request.resume();
    request.on('end', () => response.end('x'.repeat(pick(3) * 50_000)));
  });
  const { port, gateway } = await startGateway(
    cleanup,
    (settings, clock) => createHttp1Wire(settings, clock, { poison: true }),
    tableOf({ a: { urls: [origin.url] } }),
    () => ({ listen: [{ host: '127.0.0.1', port: 0, http2: true }] }),
  );
  const some = (): Buffer => {
    const stream = [0, 1, 3, 5, 7, 2 * pick(20) + 1, pick(100)][pick(7)]!;
    switch (pick(9)) {
      case 0:
        return headers(
          stream,
          pick(2) === 0 ? GET : POST,
          pick(2) === 0 ? END_HEADERS : END_HEADERS | END_STREAM,
        );
      case 1:
        return frame(0, pick(16), stream, Buffer.alloc(pick(200), pick(256)));
      case 2:
        return frame(8, 0, stream, word(pick(100_000)));
      case 3:
        return frame(
          4,
          pick(8) === 0 ? 1 : 0,
          0,
          setting(pick(7), pick(3) === 0 ? pick(2 ** 31) : pick(70_000)),
        );
      case 4:
        return frame(3, 0, stream, word(pick(14)));
      case 5:
        return frame(1, pick(64), stream, Buffer.concat([block(GET), Buffer.alloc(pick(5), pick(256))]));
      case 6:
        return frame(9, pick(8), stream, block([['x', '1']]));
      case 7:
        return frame(6, pick(2), 0, '12345678');
      default:
        return frame(pick(12), pick(256), stream, Buffer.alloc(pick(20), pick(256)));
    }
  };
  let told = 0;
  for (let round = 0; round < 400; round += 1) {
    const client = new RawClient(port);
    client.send(PREFACE, frame(4, 0, 0), ...Array.from({ length: 1 + pick(25) }, some));
    if (pick(3) === 0) client.socket.resetAndDestroy();
    else {
      await until(() => client.frames.length >= 2 || client.isClosed);
      if (client.goAway !== undefined) told += 1;
      client.socket.destroy();
    }
  }
  expect(told).toBeGreaterThan(20);
  await until(() => gateway.metrics().active === 0);
  const client = RawClient.greet(port);
  client.send(headers(1, GET));
  expect(await client.answered(1)).toBe('200');
  client.socket.destroy();
}, 60_000);
