import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type {
  Bundle,
  Observation,
  Operation,
  PlatformProvider,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../../../src/core/provider.ts';
import type { Runner } from '../../../src/core/runner.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { context, silentLogger } from './stub-api.ts';

/** Stands before the API. In one life it lets so many writes through; the answer to the last of them never arrives. */
interface Grave {
  readonly url: string;
  /** What reached the API, as `POST /v3/packages`. */
  readonly writes: string[];
  begin(allowed: number, died: () => void): void;
  close(): Promise<void>;
}

let dir: string;
let runner: Runner;
let local: LocalCloudFoundry;
let grave: Grave;
let bundle: Bundle & { remove(): Promise<void> };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-cf-crash-'));
  const random = seededRandom(3);
  runner = createRunner({ clock: systemClock, random });
  local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.02 });
  await local.start();
  grave = await openGrave(local.apiUrl);
  bundle = await sampleBundle();
});

afterAll(async () => {
  await grave.close();
  await local.close();
  await runner.close();
  await bundle.remove();
  await rm(dir, { recursive: true, force: true });
});

function open(): PlatformProvider {
  const { username, password } = local.credentials;
  return createProvider({
    platform: 'cf-local',
    options: {
      api: grave.url,
      org: local.organization,
      space: local.space,
      domain: local.domain,
      router: local.routerUrl,
      credentials: { username, password },
    },
    clock: systemClock,
    random: seededRandom(5),
    logger: silentLogger,
  });
}

async function follow(life: ProviderContext, provider: PlatformProvider, operation: Operation) {
  if (operation.done) return operation.done.artifact;
  let { handle } = operation;
  for (;;) {
    const status = await provider.poll(life, handle);
    if (status.state === 'succeeded') return status.artifact;
    if (status.state !== 'running') throw new Error(JSON.stringify(status));
    handle = status.handle ?? handle;
    await systemClock.sleep(20, life.signal);
  }
}

/** One process after the other tries from the beginning; the first dies after one write, the next after two, … */
async function acrossLives<T>(work: (life: ProviderContext, provider: PlatformProvider) => Promise<T>) {
  for (let lives = 1; lives < 40; lives++) {
    const dead = new AbortController();
    grave.begin(lives, () => dead.abort(new Error('the process died')));
    const life = { ...context, signal: dead.signal };
    const provider = open();
    try {
      return { lives, result: await work(life, provider) };
    } catch (error) {
      if (!dead.signal.aborted) throw error;
    } finally {
      await provider.close();
    }
    // Some come back at once, others when the platform has long finished what was begun.
    if (lives % 2 === 0) await systemClock.sleep(200);
  }
  throw new Error('it never came to an end');
}

async function deploy(want: TargetSpec): Promise<Observation> {
  const { result: artifact } = await acrossLives(async (life, provider) =>
    follow(life, provider, await provider.stage(life, want, bundle)),
  );
  const { lives } = await acrossLives(async (life, provider) =>
    follow(life, provider, await provider.apply(life, want, artifact as StagedArtifact)),
  );
  expect(lives).toBeGreaterThan(3);
  grave.begin(0, () => undefined);
  const provider = open();
  const seen = await provider.observe(context, want.application);
  expect(await provider.plan(context, want, seen)).toEqual([]);
  await provider.close();
  return seen;
}

function count(write: string): number {
  return grave.writes.filter((line) => line === write).length;
}

it('ends where it would have ended, whichever write it dies after', async () => {
  const first = sampleTarget({ application: 'phoenix', platform: 'cf-local', number: 1, instances: 1 });
  const one = await deploy(first);
  expect(one.instances).toMatchObject([{ state: 'running', release: first.release.id }]);
  expect(['POST /v3/apps', 'POST /v3/packages', 'POST /v3/builds', 'POST /v3/routes'].map(count)).toEqual([
    1, 1, 1, 1,
  ]);

  const env = { GREETING: 'second life' };
  const second = sampleTarget({ application: 'phoenix', platform: 'cf-local', number: 2, instances: 2, env });
  const two = await deploy(second);
  expect(two.instances.map((instance) => instance.release)).toEqual([second.release.id, second.release.id]);
  expect(
    ['POST /v3/apps', 'POST /v3/packages', 'POST /v3/builds', 'POST /v3/deployments'].map(count),
  ).toEqual([1, 2, 2, 1]);

  await acrossLives(async (life, provider) =>
    follow(life, provider, await provider.retire(life, 'phoenix', first.release.id)),
  );
  await acrossLives(async (life, provider) =>
    follow(life, provider, await provider.destroy(life, 'phoenix')),
  );
  const provider = open();
  expect((await provider.observe(context, 'phoenix')).exists).toBe(false);
  await provider.close();
}, 60_000);

async function openGrave(target: string): Promise<Grave> {
  const writes: string[] = [];
  let left = 0;
  let died = (): void => undefined;
  const server: Server = createServer((incoming, response) => {
    const path = (incoming.url ?? '').split('?', 1)[0];
    const isWrite = incoming.method !== 'GET';
    if (isWrite) writes.push(`${incoming.method} ${path}`);
    const { method, headers } = incoming;
    const onward = send(new URL(incoming.url ?? '/', target), { method, headers, agent: false }, (answer) => {
      if (isWrite && --left === 0) {
        answer.resume();
        answer.on('end', () => {
          incoming.socket.destroy();
          died();
        });
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes,
    begin(allowed, whenDead) {
      left = allowed;
      died = whenDead;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
