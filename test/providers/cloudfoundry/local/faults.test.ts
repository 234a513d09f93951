import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../../src/lib/clock.ts';
import { type Foundation, type Json, send, shop, startFoundation } from './foundation.ts';

describe('faults of the local Cloud Foundry', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    app = await foundation.push('shop', shop('v1'), 2);
  });
  afterAll(() => foundation.close());

  async function during<T>(
    fault: Parameters<Foundation['cf']['setFault']>[0],
    look: () => Promise<T>,
  ): Promise<T> {
    foundation.cf.setFault(fault, true);
    await foundation.cf.settled();
    try {
      return await look();
    } finally {
      foundation.cf.setFault(fault, false);
      await foundation.cf.settled();
    }
  }

  function refusal(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => 'answered',
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
  }

  it('are switched and listed on the control port', async () => {
    const { controlUrl, credentials } = foundation.cf;
    const root = await send('GET', controlUrl, {});
    expect(root.body).toMatchObject({
      api: foundation.cf.apiUrl,
      router: foundation.cf.routerUrl,
      credentials,
    });
    await send('POST', `${controlUrl}/faults`, {}, '{"fault":"api-slow","on":true}');
    expect((await send('GET', `${controlUrl}/faults`, {})).body.on).toEqual(['api-slow']);
    await send('POST', `${controlUrl}/faults`, {}, '{"fault":"api-slow","on":false}');
    expect((await send('GET', `${controlUrl}/faults`, {})).body.on).toEqual([]);
    expect((await send('POST', `${controlUrl}/faults`, {}, '{"fault":"rain","on":true}')).status).toBe(400);
  });

  it('router-down refuses connections and comes back on the same port', async () => {
    const url = foundation.cf.routerUrl;
    await during('router-down', async () => {
      expect(await refusal(foundation.get('shop'))).toBe('ECONNREFUSED');
      expect((await call('GET', '/v3/apps')).status).toBe(200);
    });
    expect(foundation.cf.routerUrl).toBe(url);
    expect((await foundation.get('shop')).status).toBe(200);
  });

  it('router-frozen accepts and never answers, also on open connections, and goes on when thawed', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { host: 'shop.apps.cf.localhost' };
        const request = httpRequest(foundation.cf.routerUrl, { agent, headers }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
        });
        request.on('error', reject);
        request.end();
      });
    expect(await ask()).toBe(200);
    let answered = 0;
    const held = await during('router-frozen', async () => {
      const waiting = [ask(), foundation.get('shop').then((answer) => answer.status)];
      for (const one of waiting) void one.then(() => answered++);
      const gone = new AbortController();
      const abandoned = refusal(
        send('POST', `${foundation.cf.routerUrl}/echo`, { host: 'shop.apps.cf.localhost' }, 'x', gone.signal),
      );
      await systemClock.sleep(150);
      expect(answered).toBe(0);
      gone.abort();
      expect(await abandoned).toBe('ABORT_ERR');
      return waiting;
    });
    expect(await Promise.all(held)).toEqual([200, 200]);
    agent.destroy();
  });

  it('api-down refuses API and logins while applications serve', async () => {
    await during('api-down', async () => {
      expect(await refusal(call('GET', '/v3/apps'))).toBe('ECONNREFUSED');
      expect(await refusal(foundation.token())).toBe('ECONNREFUSED');
      expect((await foundation.get('shop')).status).toBe(200);
    });
    expect((await call('GET', '/v3/apps')).status).toBe(200);
  });

  it('apps-down kills the instances and holds them down while the API answers', async () => {
    await during('apps-down', async () => {
      const stats = await foundation.until('the crash', async () => {
        const { body } = await call('GET', `/v3/apps/${app.guid}/processes/web/stats`);
        return body.resources.every((one: Json) => one.state === 'CRASHED') && body.resources;
      });
      expect(stats).toHaveLength(2);
      expect((await foundation.get('shop')).headers['x-cf-routererror']).toBeDefined();
    });
    await foundation.until('the return', async () => (await foundation.get('shop')).status === 200);
  });

  it('api-429 asks to slow down, in JSON that calls itself text', async () => {
    const answer = await during('api-429', () => call('GET', '/v3/apps'));
    expect(answer.status).toBe(429);
    expect(answer.headers).toMatchObject({
      'retry-after': '1',
      'x-ratelimit-remaining': '0',
      'content-type': 'text/plain; charset=utf-8',
    });
    expect(answer.body.errors[0]).toMatchObject({ code: 10013, title: 'CF-RateLimitExceeded' });
  });

  it('api-502 answers in the words of the router in front', async () => {
    const answer = await during('api-502', () => call('GET', '/v3/apps'));
    expect([answer.status, answer.body]).toEqual([502, undefined]);
    expect(answer.headers['x-cf-routererror']).toMatch(/^endpoint_failure/);
  });

  it('api-slow delays each answer by two seconds', async () => {
    const begun = systemClock.monotonic();
    const answer = await during('api-slow', () => call('GET', '/v3/apps'));
    expect(answer.status).toBe(200);
    expect(systemClock.monotonic() - begun).toBeGreaterThan(1_900);
  });

  it('api-401-once expires the token in use, and only that', async () => {
    foundation.cf.setFault('api-401-once', true);
    const refused = await call('GET', '/v3/apps');
    expect([refused.status, refused.body.errors[0].code]).toEqual([401, 1000]);
    expect((await call('GET', '/v3/apps')).status).toBe(401);
    await foundation.login();
    expect((await call('GET', '/v3/apps')).status).toBe(200);
  });

  it('build-fails fails every build', async () => {
    const failed = await during('build-fails', () => refusal(foundation.stage(app.guid, shop('v2'))));
    expect(failed).toContain('BuildpackCompileFailed');
  });

  it('quota-exceeded refuses what needs more memory and nothing else', async () => {
    await during('quota-exceeded', async () => {
      const scale = (instances: number): ReturnType<Foundation['call']> =>
        call('POST', `/v3/processes/${app.guid}/actions/scale`, { instances });
      const grown = await scale(3);
      expect([grown.status, grown.body.errors[0].detail]).toEqual([422, 'memory space_quota_exceeded']);
      expect((await scale(2)).status).toBe(202);
      const deployment = await call('POST', '/v3/deployments', {
        relationships: { app: { data: { guid: app.guid } } },
      });
      expect(deployment.body.errors[0].detail).toMatch(/^memory space_quota_exceeded for space dev\./);
    });
  });

  it('wrong-release and crash-loop change only instances started from now on', async () => {
    await call('PATCH', `/v3/apps/${app.guid}/environment_variables`, {
      var: { SLUICE_RELEASE: 'r-1234567890' },
    });
    await during('wrong-release', async () => {
      expect((await foundation.get('shop')).body.release).toBeUndefined();
      await call('POST', `/v3/apps/${app.guid}/actions/restart`);
      const wrong = await foundation.until('the wrong release', async () => {
        const { body } = await foundation.get('shop');
        return body?.release;
      });
      expect(wrong).toBe('r-0000000000');
    });
    await during('crash-loop', async () => {
      expect((await foundation.get('shop')).status).toBe(200);
      await call('POST', `/v3/apps/${app.guid}/actions/restart`);
      await foundation.until('crashes', async () => {
        const { body } = await call('GET', `/v3/apps/${app.guid}/processes/web/stats`);
        return body.resources.every((one: Json) => one.state === 'CRASHED');
      });
    });
  });
});
