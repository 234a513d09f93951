import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SluiceError } from '../../../src/core/errors.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { context, granted, refusal, type StubApi, stubApi } from './stub-api.ts';

const TOKEN = 'POST /login/oauth/token';

let api: StubApi;

beforeEach(async () => {
  api = await stubApi();
});

afterEach(() => api.close());

async function caught(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error;
  throw new Error(`expected an error, got ${String(error)}`);
}

function logins(): string[] {
  return api.requests
    .filter((request) => request.path === '/login/oauth/token')
    .map((request) => new URLSearchParams(request.body).get('grant_type') ?? '');
}

describe('login', () => {
  it('follows the link of the API and asks once for all calls at the same time', async () => {
    const provider = api.provider();
    await Promise.all([1, 2, 3].map(() => provider.observe(context, 'shop')));
    expect(logins()).toEqual(['password']);
    expect(api.requests.find((request) => request.path === '/v3/apps')?.authorization).toBe('bearer first');
    expect(api.requests.find((request) => request.path === '/')?.authorization).toBeUndefined();
  });

  it('tells UAA the credentials once when they are refused, however often it is called', async () => {
    api.handle = ({ path }) =>
      path === '/login/oauth/token'
        ? { status: 401, body: { error: 'unauthorized', error_description: 'Bad credentials' } }
        : undefined;
    const provider = api.provider();
    const calls = [provider.describe(context), provider.observe(context, 'a')];
    for (const call of [...calls, provider.observe(context, 'b')]) {
      const error = await caught(call);
      expect(error.class).toBe('auth');
      expect(error.details.why).toContain('Bad credentials');
      expect(error.details.remedy).toContain(
        'credentials.username and credentials.password of platform cf-eu',
      );
      expect(JSON.stringify(error.details)).not.toContain('planted-canary-password');
    }
    expect(logins()).toHaveLength(1);
  });

  it('renews ahead of the end, by the refresh token', async () => {
    const clock = virtualClock(1_000_000);
    let count = 0;
    api.handle = ({ path }) =>
      path === '/login/oauth/token' ? granted(`t${++count}`, { refresh_token: 'again' }) : undefined;
    const provider = api.provider({ clock });
    await provider.observe(context, 'shop');
    clock.advance(539_000);
    await provider.observe(context, 'shop');
    expect(logins()).toEqual(['password']);
    clock.advance(2_000);
    await provider.observe(context, 'shop');
    expect(logins()).toEqual(['password', 'refresh_token']);
    expect(api.requests.at(-1)?.authorization).toBe('bearer t2');
  });

  it('goes back to the credentials when the refresh token has ended', async () => {
    const clock = virtualClock(1_000_000);
    api.handle = ({ path, body }) => {
      if (path !== '/login/oauth/token' || !body.includes('refresh_token=')) return undefined;
      return { status: 401, body: { error: 'invalid_token' } };
    };
    const provider = api.provider({ clock });
    await provider.observe(context, 'shop');
    clock.advance(600_000);
    await provider.observe(context, 'shop');
    expect(logins()).toEqual(['password', 'refresh_token', 'password']);
  });

  it('takes a new token and repeats the call when the API refuses the old one midway', async () => {
    let refused = 0;
    api.handle = ({ path, authorization }) => {
      if (path === '/login/oauth/token') return granted(refused > 0 ? 'second' : 'first');
      if (path !== '/v3/apps' || authorization === 'bearer second') return undefined;
      refused += 1;
      return refusal(401, 'CF-InvalidAuthToken', 'Invalid Auth Token');
    };
    const seen = await api.provider().observe(context, 'shop');
    expect(seen.exists).toBe(false);
    expect(api.seen.filter((line) => line === TOKEN)).toHaveLength(2);
    expect(refused).toBe(1);
    // The refused one, the same again, and the one that looks for trials.
    expect(api.seen.filter((line) => line === 'GET /v3/apps')).toHaveLength(3);
  });
});
