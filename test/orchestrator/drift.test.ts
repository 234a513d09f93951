import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_DRIFT, type DriftSettings } from '../../src/core/drift.ts';
import { platformError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { StateStore } from '../../src/core/ports.ts';
import type {
  Bundle,
  Observation,
  PlanChange,
  PlatformProvider,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { Release } from '../../src/core/release.ts';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { deployedIn } from '../../src/orchestrator/as-deployed.ts';
import { configurationDigest } from '../../src/orchestrator/configuration-digest.ts';
import { createDriftWatch, type DriftWatch } from '../../src/orchestrator/drift-watch.ts';
import { journalIn } from '../../src/orchestrator/journal.ts';
import { keepConfiguration } from '../../src/orchestrator/kept-configuration.ts';
import { configHashOf } from '../../src/orchestrator/release-identity.ts';
import { releasesIn } from '../../src/orchestrator/releases.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { type FakePlatform, fakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const clock = virtualClock(1_000_000);
const BUNDLE = { digest: 'sha256:s', files: [], root: '/' } as unknown as Bundle;
let store: StateStore;
let rack: FakePlatform;
let provider: PlatformProvider;
let events: LoggedEvent[];
let shop: ApplicationSettings;
let release: Release;
let watch: DriftWatch;
let forbidden: string | undefined;
let inFlux: string | undefined;
let written: TargetSpec[];
/** Somebody changes the platform after every write of ours. */
let meddler: (() => void) | undefined;

const types = (): string[] => events.map(({ type }) => type);
const status = () => watch.status('shop', 'rack');

/** Only instances and one variable are ever compared here. */
function comparing(platform: FakePlatform): PlatformProvider {
  const plain = fakeProvider(platform);
  return {
    ...plain,
    async plan(_context, want, seen) {
      const change = (field: string, from: string, to: string): PlanChange => ({
        action: from === to ? 'none' : 'change',
        ...{ field, from, to, destructive: false },
      });
      return [
        change('release', seen.serving ?? '', want.release.id),
        change('instances', `${seen.desired}`, `${want.process.instances}`),
      ];
    },
    async apply(context, want, artifact) {
      written.push(want);
      platform.desired = want.process.instances;
      const operation = await plain.apply(context, want, artifact);
      meddler?.();
      return operation;
    },
  };
}

function configured(drift: Partial<DriftSettings>): void {
  shop = application([target({ platform: 'rack' })], { drift: { ...DEFAULT_DRIFT, ...drift } });
}

async function deployed(): Promise<void> {
  const identity = { sourceDigest: BUNDLE.digest, configHash: configHashOf(shop, 'key') };
  release = await releasesIn(store).record(
    { id: 'r-1', application: 'shop', ...identity, createdAt: 0 },
    keepConfiguration(shop, 'key'),
  );
  await releasesIn(store).setLive('shop', 'rack', release.id);
  await journalIn(store).begin({
    ...{ id: 'd-1', application: 'shop', release, startedAt: 1, outcome: 'done' },
    configuration: configurationDigest(shop),
    targets: { rack: { phase: 'live', startedAt: 1 } },
  });
  Object.assign(rack, { serving: 'r-1', releases: ['r-1'], desired: 2, running: 2 });
}

function open(): DriftWatch {
  const settings = {
    get applications() {
      return { shop };
    },
  };
  return createDriftWatch({
    ...{ settings, store, clock, logger: silent, events: eventLog(clock, events) },
    bundles: { find: async () => BUNDLE },
    providers: new Map([['rack', provider]]),
    deploysTo: () => true,
    deployed: deployedIn({ settings, store, hashKey: 'key', scaledTo: () => undefined }),
    identity: { holder: 'a test', process: { host: 'here', pid: process.pid }, uniqueId: () => '1' },
    inFlux: () => inFlux,
    forbidden: () => forbidden,
  });
}

/** The monitor's reads, every two seconds. */
async function reads(ms: number, observation?: Observation): Promise<void> {
  const context = { signal: new AbortController().signal, now: clock.now, log: () => undefined };
  for (let passed = 0; passed < ms; passed += 2_000) {
    const seen = observation ?? (await provider.observe(context, 'shop'));
    watch.hear({
      kind: 'platform',
      at: clock.now(),
      application: 'shop',
      platform: 'rack',
      observation: seen,
    });
    await pass(clock, 2_000, 200);
  }
}

beforeEach(async () => {
  store = memoryStore(clock);
  rack = fakePlatform('rack');
  provider = comparing(rack);
  events = [];
  written = [];
  [forbidden, inFlux, meddler] = [undefined, undefined, undefined];
  configured({ mode: 'heal' });
  await deployed();
  watch = open();
});
afterEach(async () => {
  await watch.close();
  await store.close();
});

describe('drift', () => {
  it('is reported once and left alone unless healing is wished, and is gone when somebody puts it right', async () => {
    configured({ mode: 'report' });
    await deployed();
    await reads(4_000);
    expect(status()).toMatchObject({ state: 'none', fields: [], heals: 0 });
    rack.desired = 5;
    await reads(120_000);
    expect(events).toEqual([
      expect.objectContaining({
        type: 'drift.found',
        fields: [{ field: 'instances', from: '5', to: '2' }],
        foreign: [],
      }),
    ]);
    expect(status()).toMatchObject({ state: 'found' });
    expect(rack.calls).toEqual([]);
    rack.desired = 2;
    await reads(60_000);
    expect(types()).toEqual(['drift.found', 'drift.gone']);
    expect(status()).toMatchObject({ state: 'none' });
  });

  it('is believed only when it is seen twice', async () => {
    rack.desired = 5;
    await reads(2_000);
    rack.desired = 2;
    await reads(60_000);
    expect(types()).toEqual([]);
    expect(rack.calls).toEqual([]);
  });

  it('is put back to the live release as deployed, through the provider’s own idempotent steps', async () => {
    rack.desired = 5;
    await reads(10_000);
    expect(types()).toEqual(['drift.found', 'drift.healed']);
    expect(rack.calls).toEqual(['stage r-1', 'apply r-1']);
    expect(written[0]).toMatchObject({ release: { id: 'r-1' }, process: { instances: 2 } });
    expect(status()).toMatchObject({ state: 'none', heals: 1 });
  });

  it('says nothing while the platform does not answer, and nothing of what it finds unreadable', async () => {
    rack.desired = 5;
    watch.hear({ kind: 'platform', at: 0, application: 'shop', platform: 'rack', observation: undefined });
    await pass(clock, 60_000, 1_000);
    expect(status()).toBeUndefined();
    provider.plan = async () => {
      throw platformError('unavailable', 'rack', 'no answer');
    };
    await reads(120_000);
    expect(types()).toEqual([]);
    expect(rack.calls).toEqual([]);
  });

  it('is put back as it was deployed, whatever the file says since', async () => {
    rack.desired = 5;
    shop = { ...shop, env: { LOG: 'debug' }, process: { ...shop.process, command: 'run more' } };
    await reads(10_000);
    expect(types()).toEqual(['drift.found', 'drift.healed']);
    expect(written[0]?.process).toMatchObject({ command: '', instances: 2 });
    expect(written[0]?.env).not.toHaveProperty('LOG');
  });

  it('is not looked for where nobody can say how it was deployed: another count, another secret', async () => {
    rack.desired = 5;
    shop = { ...shop, targets: [target({ platform: 'rack', instances: 7 })] };
    await reads(60_000);
    expect(status()).toMatchObject({ state: 'outdated', fields: [] });
    shop = { ...shop, env: { PASSWORD: 'one' }, secretEnv: ['PASSWORD'] };
    shop = { ...shop, targets: [target({ platform: 'rack' })] };
    await deployed();
    rack.desired = 5;
    shop = { ...shop, env: { PASSWORD: 'two' } };
    await reads(60_000);
    expect(status()).toMatchObject({ state: 'outdated', fields: [] });
    expect(rack.calls).toEqual([]);
    expect(types()).toEqual([]);
  });

  it('is not looked at while a deployment or a scaling of ours is under way', async () => {
    rack.desired = 5;
    inFlux = 'it is being scaled';
    await reads(120_000);
    inFlux = undefined;
    const unfinished = { id: 'd-2', application: 'shop', release, startedAt: 2, targets: {} };
    await journalIn(store).begin(unfinished);
    await reads(120_000);
    expect(types()).toEqual([]);
    await journalIn(store).finish('d-2', 'failed', 3);
    await reads(60_000);
    expect(types()).toEqual(['drift.found', 'drift.healed']);
  });

  it('is found but not put back where people forbid it, and while somebody holds the lease', async () => {
    rack.desired = 5;
    forbidden = 'ada ordered hold';
    await reads(120_000);
    expect(status()).toMatchObject({ state: 'found', why: 'ada ordered hold' });
    forbidden = undefined;
    const holder = { id: 'sluice deploy', reason: 'deploying to rack', since: clock.now() };
    const lease = await store.acquire('deploy-shop', holder, 600_000);
    await reads(60_000);
    expect(status()).toMatchObject({ state: 'found', why: expect.stringContaining('sluice deploy') });
    expect(types()).toEqual(['drift.found']);
    expect(rack.calls).toEqual([]);
    if (lease.held) await lease.release();
    await reads(60_000);
    expect(types()).toEqual(['drift.found', 'drift.healed']);
  });

  it('is put back three times an hour at most, also by the next controller, then a person is called', async () => {
    meddler = () =>
      clock.after(5_000, () => {
        rack.desired += 3;
      });
    rack.desired = 5;
    await reads(600_000);
    const heals = () => types().filter((type) => type === 'drift.healed').length;
    expect(heals()).toBe(3);
    expect(events.at(-1)).toMatchObject({ type: 'drift.unhealed', error: { code: 'SAFETY_VETO' } });
    expect(status()).toMatchObject({ state: 'unhealed', heals: 3 });
    await watch.close();
    watch = open();
    await reads(120_000);
    expect(heals()).toBe(3);
    meddler = undefined;
    await reads(3_600_000);
    expect(heals()).toBe(4);
    expect(status()).toMatchObject({ state: 'none' });
  });

  it('that cannot be put back is tried again with longer and longer pauses, and said once', async () => {
    rack.failing.apply = platformError('quota', 'rack', 'no memory left');
    rack.desired = 5;
    meddler = () => {
      rack.desired = 5;
    };
    await reads(20 * 60_000);
    expect(types()).toEqual(['drift.found', 'drift.unhealed', 'drift.unhealed']);
    expect(events.slice(1).map((event) => event.type === 'drift.unhealed' && event.error.code)).toEqual([
      'PLATFORM_QUOTA',
      'SAFETY_VETO',
    ]);
    expect(rack.calls.filter((call) => call === 'apply r-1')).toHaveLength(3);
  });

  it('of foreign things is reported and never touched', async () => {
    provider.plan = async () => [{ action: 'foreign', field: 'Service shop', destructive: false }];
    await reads(120_000);
    expect(events).toEqual([
      expect.objectContaining({ type: 'drift.found', fields: [], foreign: ['Service shop'] }),
    ]);
    expect(status()).toMatchObject({ state: 'found', foreign: ['Service shop'] });
    expect(rack.calls).toEqual([]);
  });

  it('is nobody’s business with `off`, and of fields that an autoscaler keeps', async () => {
    configured({ mode: 'heal', ignore: ['instances'] });
    await deployed();
    rack.desired = 9;
    await reads(120_000);
    expect(status()).toMatchObject({ state: 'none' });
    configured({ mode: 'off' });
    await reads(120_000);
    expect(status()).toBeUndefined();
    expect(types()).toEqual([]);
  });
});
