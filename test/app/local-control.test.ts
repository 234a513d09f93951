import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type LocalControl, localControl } from '../../src/app/local-control.ts';
import { originsSettings } from '../../src/config/inline.ts';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import { platformError } from '../../src/core/errors.ts';
import type { StateStore } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { DeployWish, Orchestrator, StartedDeployment } from '../../src/orchestrator/orchestrator.ts';
import { fileStore } from '../../src/state/file-store.ts';
import { sampleBundle, sampleRelease } from '../support/sample-app.ts';
import { settled } from '../support/virtual-time.ts';

let dir: string;
let store: StateStore;
let wishes: DeployWish[];
let errors: string[];
let end: { done(): void; fail(error: Error): void };
let control: LocalControl;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-control-'));
  store = await fileStore(dir, systemClock);
  wishes = [];
  errors = [];
  const orchestrator: Partial<Orchestrator> = {
    async deploy(wish) {
      wishes.push(wish);
      const release = sampleRelease('shop', 1);
      const finished = new Promise<DeploymentRecord>((done, fail) => {
        const record = { id: 'd-1', application: 'shop', release, startedAt: 0, targets: {} };
        end = { done: () => done(record), fail };
      });
      const started: StartedDeployment = { id: 'd-1', release, finished };
      return started;
    },
    destroy: async () =>
      new Map([
        ['a', { left: ['service instance shop-db'] }],
        ['b', { error: platformError('forbidden', 'b', 'not yours'), left: [] }],
      ]),
  };
  const logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: object) => void errors.push(JSON.stringify(fields)),
  };
  // Only what is asked of it here.
  control = await localControl(
    originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]),
    orchestrator as Orchestrator,
    store,
    logger,
    new AbortController().signal,
  );
});

afterEach(() => rm(dir, { recursive: true, force: true }));

async function deploy(): Promise<unknown> {
  const bundle = await sampleBundle();
  try {
    const wish = { application: 'shop', platforms: undefined, archive: await bundle.tarGz() };
    return await control.deploy({ ...wish, digest: await digestOf(bundle.digest, wish.archive) });
  } finally {
    await bundle.remove();
  }
}

/** The store reckons the digest its own way; its refusal names it. */
async function digestOf(guess: string, archive: Buffer): Promise<string> {
  const refusal = await control
    .plan({ application: 'shop', platforms: undefined, archive, digest: guess })
    .then(
      () => undefined,
      (error: { details?: { why?: string } }) => error.details?.why,
    );
  return /got (sha256:[0-9a-f]+)/.exec(refusal ?? '')?.[1] ?? guess;
}

describe('control over an orchestrator in this process', () => {
  it('keeps the bundle, hands it over, and answers before the deployment has ended', async () => {
    expect(await deploy()).toMatchObject({ id: 'd-1', release: { number: 1 } });
    expect(wishes[0]?.bundle?.root.startsWith(dir)).toBe(true);
    let over = false;
    const all = control.settled().then(() => {
      over = true;
    });
    await settled();
    expect(over).toBe(false);
    end.done();
    await all;
  });

  it('survives a deployment that breaks off, and logs it', async () => {
    await deploy();
    end.fail(new Error('the disk is full'));
    await control.settled();
    expect(errors.join()).toContain('the disk is full');
  });

  it('refuses a bundle that is not what it claims to be, and keeps nothing of it', async () => {
    const bundle = await sampleBundle();
    const wish = { application: 'shop', platforms: undefined, archive: await bundle.tarGz() };
    await expect(control.deploy({ ...wish, digest: `sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
    await bundle.remove();
    expect(await readdir(join(dir, 'bundles'))).toEqual([]);
    expect(wishes).toEqual([]);
  });

  it('tells of destroying as plain JSON: no error where nothing of it is left', async () => {
    const wish = { application: 'shop', platforms: undefined, services: false };
    const error = { code: 'PLATFORM_FORBIDDEN', class: 'forbidden', message: 'not yours', where: 'b' };
    expect(await control.destroy(wish)).toEqual({
      a: { error: null, left: ['service instance shop-db'] },
      b: { error, left: [] },
    });
  });
});
