import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Options } from '../../../../providers/openshift/config.ts';
import { SluiceError, toWire } from '../../../../src/core/errors.ts';
import type { PlatformProvider, ProviderContext } from '../../../../src/core/provider.ts';
import { type LocalHarness, NAMESPACE, openLocal } from '../local-harness.ts';

/** All ways of logging in, at the local OpenShift. */
let harness: LocalHarness;
const opened: PlatformProvider[] = [];
const context: ProviderContext = {
  signal: new AbortController().signal,
  now: Date.now,
  log: () => undefined,
};

beforeAll(async () => {
  harness = await openLocal();
});

afterEach(async () => {
  for (const provider of opened.splice(0)) await provider.close();
});

afterAll(() => harness.close());

function provider(credentials: Options['credentials'], api?: string): PlatformProvider {
  const made = harness.provider({ credentials, ...(api === undefined ? {} : { api }) });
  opened.push(made);
  return made;
}

async function caught(work: Promise<unknown>): Promise<SluiceError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error;
  throw new Error(`expected a SluiceError, got ${String(error)}`);
}

describe('a service account', () => {
  it('whose name is given gets tokens of its own that end, and asks for others', async () => {
    const made = provider({ token: harness.local.token, serviceAccount: 'deployer' });
    expect((await made.describe(context)).identity).toBe(`system:serviceaccount:${NAMESPACE}:deployer`);
    const { credentials } = await made.observe(context, 'none');
    expect(credentials?.renewal).toBe('ok');
    expect(((credentials?.endsAt ?? 0) - Date.now()) / 3_600_000).toBeCloseTo(6, 1);
  });

  it('that is not there is told, while the token given still works', async () => {
    const made = provider({ token: harness.local.token, serviceAccount: 'nobody' });
    const { credentials } = await made.observe(context, 'none');
    expect(credentials).toMatchObject({ renewal: 'failing' });
  });

  it('may have its token in a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-token-'));
    const file = join(folder, 'token');
    await writeFile(file, `${harness.local.token}\n`);
    const { identity } = await provider({ tokenFile: file }).describe(context);
    await rm(folder, { recursive: true });
    expect(identity).toContain('deployer');
  });
});

describe('a person', () => {
  it('logs in with a password and gets a token for a day', async () => {
    const made = provider({ username: 'shopkeeper', password: 'shopkeeper' });
    expect((await made.describe(context)).identity).toBe('shopkeeper');
    const { credentials } = await made.observe(context, 'none');
    expect(((credentials?.endsAt ?? 0) - Date.now()) / 3_600_000).toBeCloseTo(24, 1);
  });

  it('with a wrong password is asked for once only, and nothing of it is shown', async () => {
    const made = provider({ username: 'shopkeeper', password: 'planted-password' });
    const first = await caught(made.describe(context));
    expect(first).toMatchObject({ class: 'auth', message: 'the platform refused to log us in' });
    expect(await caught(made.describe(context))).toBe(first);
    expect(JSON.stringify(toWire(first))).not.toContain('planted');
  });
});
