import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { lacksAffinityKey, withAffinityKey } from '../../src/app/installation-key.ts';
import { originsSettings } from '../../src/config/inline.ts';
import type { RouteSettings, Settings } from '../../src/core/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { fileStore } from '../../src/state/file-store.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-key-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

function settings(route: Partial<RouteSettings>): Settings {
  const made = originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]);
  const shop = made.applications['default']!;
  const routes = shop.routes.map((one) => ({ ...one, ...route }));
  return { ...made, applications: { default: { ...shop, routes } } };
}

it('is made once, and read again by whoever comes later', async () => {
  const first = await withAffinityKey(settings({ affinity: true }), await fileStore(dir, systemClock));
  const second = await withAffinityKey(settings({ affinity: true }), await fileStore(dir, systemClock));
  expect(first.gateway.affinityKey).toMatch(/^[0-9a-f]{64}$/);
  expect(second.gateway.affinityKey).toBe(first.gateway.affinityKey);
  expect((await stat(join(dir, 'keys', 'affinity.json'))).mode & 0o777).toBe(0o600);
});

it('is needed only where a route has affinity and the file gives no key', async () => {
  expect(lacksAffinityKey(settings({}))).toBe(false);
  const sticky = settings({ affinity: true });
  expect(lacksAffinityKey(sticky)).toBe(true);
  const given = { ...sticky, gateway: { ...sticky.gateway, affinityKey: 'from the file' } };
  expect(await withAffinityKey(given, await fileStore(dir, systemClock))).toBe(given);
});
