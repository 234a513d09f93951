import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../../src/lib/clock.ts';
import { type Answer, type Foundation, send, startFoundation } from './foundation.ts';

describe('the local UAA', () => {
  let foundation: Foundation;
  let uaa = '';
  beforeAll(async () => {
    foundation = await startFoundation({ tokenSeconds: 1 });
    uaa = (await send('GET', foundation.cf.apiUrl, {})).body.links.uaa.href;
  });
  afterAll(() => foundation.close());

  function token(form: Record<string, string>, basic?: string): Promise<Answer> {
    return send(
      'POST',
      `${uaa}/oauth/token`,
      {
        'content-type': 'application/x-www-form-urlencoded',
        ...(basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
      },
      new URLSearchParams(form).toString(),
    );
  }

  it('issues a three-part JWT for a password, and another for its refresh token', async () => {
    const { username, password } = foundation.cf.credentials;
    const first = await token({ grant_type: 'password', username, password }, 'cf:');
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ token_type: 'bearer', expires_in: 0 });
    const [, claims] = first.body.access_token.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      user_name: username,
      jti: first.body.jti,
      exp: expect.any(Number),
    });
    const refresh = { grant_type: 'refresh_token', refresh_token: first.body.refresh_token };
    const second = await token(refresh, 'cf:');
    expect(second.body.access_token).not.toBe(first.body.access_token);
    const used = await token(refresh, 'cf:');
    expect(used).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  it('serves clients without a Basic header and gives them no refresh token', async () => {
    const { clientId, clientSecret } = foundation.cf.credentials;
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const good = await token(form);
    expect(good.body).toMatchObject({ access_token: expect.stringMatching(/^[^.]+\.[^.]+\.[^.]+$/) });
    expect(good.body).not.toHaveProperty('refresh_token');
    const bad = await token({ ...form, client_secret: 'wrong' });
    expect(bad).toMatchObject({
      status: 401,
      body: { error: 'invalid_client', error_description: 'Bad credentials' },
    });
  });

  it('refuses wrong passwords in its own error format', async () => {
    const answer = await token({ grant_type: 'password', username: 'admin', password: 'wrong' }, 'cf:');
    expect(answer).toMatchObject({
      status: 401,
      body: { error: 'unauthorized', error_description: 'Bad credentials' },
    });
  });

  it('locks an account after five wrong passwords, whatever is tried then', async () => {
    const wrong = { grant_type: 'password', username: 'guessed', password: 'wrong' };
    for (let i = 0; i < 5; i++)
      expect((await token(wrong, 'cf:')).body.error_description).toBe('Bad credentials');
    expect(await token(wrong, 'cf:')).toMatchObject({
      status: 401,
      body: {
        error: 'unauthorized',
        error_description: 'Your account has been locked because of too many failed attempts to login.',
      },
    });
  });

  it('counts requests without a good token against their address', async () => {
    const strict = await startFoundation({ unauthenticatedLimit: 2 });
    const url = `${strict.cf.apiUrl}/v3/apps`;
    const headers = { authorization: 'bearer nonsense' };
    expect((await send('GET', url, headers)).status).toBe(401);
    expect((await send('GET', url, {})).status).toBe(401);
    const over = await send('GET', url, headers);
    expect([over.status, over.body.errors[0].title]).toEqual([429, 'CF-IPBasedRateLimitExceeded']);
    expect(over.headers).toMatchObject({
      'retry-after': expect.any(String),
      'content-type': 'text/plain; charset=utf-8',
    });
    expect((await strict.call('GET', '/v3/apps')).status).toBe(200);
    await strict.close();
  });

  it('tells the prompts a login needs', async () => {
    const answer = await send('GET', `${uaa}/login`, { accept: 'application/json' });
    expect(answer.body.prompts).toEqual({
      username: ['text', 'Email'],
      password: ['password', 'Password'],
    });
  });

  it('lets the API refuse missing, forged and expired tokens each in its way', async () => {
    const bare = await send('GET', `${foundation.cf.apiUrl}/v3/apps`, {});
    expect(bare).toMatchObject({
      status: 401,
      body: { errors: [{ code: 10002, title: 'CF-NotAuthenticated', detail: 'Authentication error' }] },
    });
    const invalid = {
      status: 401,
      body: { errors: [{ code: 1000, title: 'CF-InvalidAuthToken', detail: 'Invalid Auth Token' }] },
    };
    const good = await foundation.token();
    const forged = good.replace(/\.[^.]+$/, '.AAAA');
    for (const bad of ['nonsense', forged]) {
      const answer = await send('GET', `${foundation.cf.apiUrl}/v3/apps`, { authorization: `bearer ${bad}` });
      expect(answer).toMatchObject(invalid);
    }
    await systemClock.sleep(1_050);
    const late = await send('GET', `${foundation.cf.apiUrl}/v3/apps`, { authorization: `bearer ${good}` });
    expect(late).toMatchObject(invalid);
  });
});
