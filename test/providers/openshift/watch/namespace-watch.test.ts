import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Observation, PlatformProvider } from '../../../../src/core/provider.ts';
import { inBackground } from '../../../../src/lib/background.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { createDriver, type Driver } from '../../../conformance/provider-driver.ts';
import { type CountingProxy, openCountingProxy } from '../../../support/counting-proxy.ts';
import { sampleBundle, sampleTarget } from '../../../support/sample-app.ts';
import { type LocalHarness, NAMESPACE, openLocal, PLATFORM } from '../local-harness.ts';

/** What the controller does all day: it looks, again and again, on the local OpenShift. */
let harness: LocalHarness;
let proxy: CountingProxy;
let drive: Driver;
let provider: PlatformProvider;
let news = 0;

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

beforeAll(async () => {
  harness = await openLocal();
  proxy = await openCountingProxy(harness.local.apiUrl);
  drive = createDriver({ provider: () => harness.provider() });
  const bundle = await sampleBundle('ok');
  await drive.deploy(
    sampleTarget({ application: 'watched', platform: PLATFORM, number: 1, instances: 2 }),
    bundle,
  );
  await bundle.remove();
  provider = harness.provider({ api: proxy.address });
  provider.changes?.('watched', () => {
    news += 1;
  });
  await until(async () => (await cost(look)) <= 2);
});

afterAll(async () => {
  await provider.close();
  await drive.close();
  await proxy.close();
  await harness.close();
});

beforeEach(() => {
  news = 0;
});

const look = (): Promise<Observation> => inBackground(() => provider.observe(drive.context, 'watched'));
const read = (): Promise<Observation> => provider.observe(drive.context, 'watched');

/** Calls of the API that it took. */
async function cost(work: () => Promise<unknown>): Promise<number> {
  const before = proxy.seen.length;
  await work();
  return proxy.seen.length - before;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 8_000;
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error('it did not come about');
    await systemClock.sleep(20);
  }
}

async function deletePod(): Promise<string> {
  const [pod] = (await harness.read(PODS)).items.filter(
    (one: { metadata: { labels?: Record<string, string> } }) =>
      one.metadata.labels?.['sluice.dev/application'] === 'watched',
  );
  const { name } = pod.metadata;
  const { token, apiUrl } = harness.local;
  await fetch(`${apiUrl}${PODS}/${name}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  });
  return name;
}

const isWhole = ({ instances }: Observation): boolean =>
  instances.length === 2 && instances.every(({ state }) => state === 'running');

describe('looking at what is watched', () => {
  it('costs three calls at most instead of one for everything, and shows the same', async () => {
    const plain = await cost(read);
    const copied = await cost(look);
    expect([copied <= 3, plain > 8]).toEqual([true, true]);
    const [{ at: _, asOf = 0, apiLatencyMs: _a, ...one }, { at, apiLatencyMs: _b, ...other }] = [
      await look(),
      await read(),
    ];
    expect(one).toEqual(other);
    expect(at - asOf).toBeLessThan(20_000);
  });

  it('are never older looks than one before, whatever their age: the newest counts', async () => {
    const whole = await read();
    const copied = await look();
    expect(copied.at).toBeGreaterThanOrEqual(whole.at);
    expect(copied.asOf).toBeLessThanOrEqual(copied.at);
  });

  it('hears of an instance that goes, before anybody asks', async () => {
    const name = await deletePod();
    await until(async () => news > 0);
    await until(async () => !(await look()).instances.some(({ id }) => id === name));
    await until(async () => isWhole(await look()));
    expect(await cost(look)).toBeLessThanOrEqual(3);
  });

  it('goes on when the server has forgotten its history', async () => {
    harness.local.compact();
    await deletePod();
    await until(async () => isWhole(await look()) && isWhole(await read()));
    const { instances } = await look();
    expect(instances.map(({ id }) => id).sort()).toEqual((await read()).instances.map(({ id }) => id).sort());
  });

  it('never takes a watch that went deaf for how things are', async () => {
    harness.local.setFault('watch-silent', true);
    const name = await deletePod();
    await until(async () => isWhole(await read()));
    // A deaf watch of pods is found out at the latest when each of the seven kinds had its turn.
    let looks = 0;
    await until(async () => {
      looks += 1;
      return !(await look()).instances.some(({ id }) => id === name);
    });
    expect(looks).toBeLessThanOrEqual(8);
    harness.local.setFault('watch-silent', false);
  });

  it('says that the API is away as soon as it is', async () => {
    harness.local.setFault('api-down', true);
    await until(async () => {
      const error: unknown = await look().catch((caught: unknown) => caught);
      return error instanceof Error;
    });
    harness.local.setFault('api-down', false);
    await until(() =>
      look().then(
        () => true,
        () => false,
      ),
    );
  });
});
