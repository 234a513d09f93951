import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import { createLateCompatWire } from '../../src/gateway/compat/late-wire.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ask, type Cleanup, httpOrigin, startGateway, tableOf } from './harness.ts';

let cleanup: Cleanup = { tasks: [] };

beforeEach(() => {
  cleanup = { tasks: [] };
});
afterEach(async () => {
  for (const task of cleanup.tasks) await task();
});

it('serves as soon as it listens', async () => {
  const origin = await httpOrigin(cleanup, (_, response) => response.end('hello'));
  const { port, gateway } = await startGateway(
    cleanup,
    createLateCompatWire,
    tableOf({ a: { urls: [origin.url] } }),
  );
  expect(await ask(port)).toMatchObject({ status: 200, body: 'hello' });
  expect(gateway.metrics().requests['2xx']).toBe(1);
});

it('closes without ever having listened', async () => {
  const wire = createLateCompatWire(DEFAULT_GATEWAY, systemClock);
  wire.drain();
  await expect(wire.close()).resolves.toBeUndefined();
});
