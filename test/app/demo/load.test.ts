import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startLoad } from '../../../src/app/demo/load.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { type OriginServer, originServer } from '../../support/origin-server.ts';

let origin: OriginServer;
let orders: string[];

beforeEach(async () => {
  orders = [];
  origin = await originServer((request, response) => {
    response.setHeader('x-platform', 'cf');
    if (request.method === 'GET') return response.end('ok');
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      orders.push((JSON.parse(body) as { id: string }).id);
      response.statusCode = orders.length > 1 ? 503 : 201;
      response.end();
    });
  });
});
afterEach(() => origin.close());

it('sends what is due whether or not earlier ones were answered: nine GETs to one POST, each order once', async () => {
  const clock = virtualClock(1_000);
  const load = startLoad(origin.url, 200, clock);
  clock.advance(100);
  await load.stop();
  expect(load.samples).toHaveLength(20);
  expect(load.samples.filter((one) => one.safe)).toHaveLength(18);
  expect(new Set(orders)).toEqual(new Set(['order-0', 'order-10']));
  expect(load.samples.every((one) => one.platform === 'cf')).toBe(true);
  expect(load.samples.filter((one) => !one.ok).map((one) => one.why)).toEqual(['status 503']);
  clock.advance(100);
  expect(load.samples).toHaveLength(20);
});

it('says why a request had no answer', async () => {
  const clock = virtualClock();
  const load = startLoad('http://127.0.0.1:1', 100, clock);
  clock.advance(20);
  await load.stop();
  expect(load.samples.map((one) => [one.ok, one.why])).toContainEqual([false, 'ECONNREFUSED']);
});
