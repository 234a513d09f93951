import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, shop, startFoundation } from './foundation.ts';

describe('pushing an app', () => {
  let foundation: Foundation;
  beforeAll(async () => {
    foundation = await startFoundation();
  });
  afterAll(() => foundation.close());

  it('goes from an archive to an answer through the router', async () => {
    const app = await foundation.push('shop', shop('v1'));
    const answer = await foundation.get('shop');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ version: 'v1', index: '0' });
    expect(answer.headers['x-vcap-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    const env = (await foundation.get('shop', '/env')).body;
    expect(JSON.parse(env.VCAP_APPLICATION)).toMatchObject({
      application_name: 'shop',
      application_id: app.guid,
      instance_index: 0,
    });
    expect(env.MEMORY_LIMIT).toBe('1024m');
    expect(env.CF_INSTANCE_PORT).toBe(env.PORT);
  });
});
