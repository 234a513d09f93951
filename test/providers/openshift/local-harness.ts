import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Options, schema } from '../../../providers/openshift/config.ts';
import type { Mode } from '../../../providers/openshift/local/resources.ts';
import { createLocalOpenShift, type LocalOpenShift } from '../../../providers/openshift/local/server.ts';
import { createProvider } from '../../../providers/openshift/provider.ts';
import type { Clock } from '../../../src/core/ports.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { silent } from './fake-api.ts';

// biome-ignore lint/suspicious/noExplicitAny: the wire is what these tests look at.
export type Json = any;

export const PLATFORM = 'ocp-local';
export const NAMESPACE = 'shop';

interface More {
  readonly api?: string;
  readonly token?: string;
  readonly credentials?: Options['credentials'];
  readonly routeHost?: string;
  readonly clock?: Clock;
}

export interface LocalHarness {
  readonly local: LocalOpenShift;
  provider(more?: More): PlatformProvider;
  /** Makes a thing behind the provider's back. */
  create(path: string, body: object): Promise<void>;
  /** Looks and changes as anybody else with the token might; a list of JSON patch operations. */
  read(path: string): Promise<Json>;
  patch(path: string, operations: readonly object[]): Promise<void>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** A local OpenShift whose waiting times are a thirtieth. */
export async function openLocal(more: { imagesDir?: string; mode?: Mode } = {}): Promise<LocalHarness> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-openshift-'));
  const random = seededRandom(7);
  const runner = createRunner({ clock: systemClock, random });
  const local = createLocalOpenShift({ dir, runner, clock: systemClock, random, speed: 0.03, ...more });
  await local.start();

  function optionsOf(more: More): Options {
    return schema.parse({
      api: more.api ?? local.apiUrl,
      namespace: NAMESPACE,
      router: local.routerUrl,
      credentials: more.credentials ?? { token: more.token ?? local.token },
      ...(more.routeHost === undefined ? {} : { routeHost: more.routeHost }),
    });
  }

  async function send(method: string, path: string, type: string, body?: object): Promise<Json> {
    const answer = await fetch(local.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${local.token}`, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  return {
    local,
    provider: (more = {}) =>
      createProvider({
        platform: PLATFORM,
        options: optionsOf(more),
        clock: more.clock ?? systemClock,
        random,
        logger: silent,
      }),
    create: async (path, body) => void (await send('POST', path, 'application/json', body)),
    read: (path) => send('GET', path, 'application/json'),
    patch: async (path, operations) =>
      void (await send('PATCH', path, 'application/json-patch+json', operations)),
    remove: async (path) => void (await send('DELETE', path, 'application/json')),
    async close() {
      await local.close();
      await runner.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
