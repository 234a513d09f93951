import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, type Json, send, shop, startFoundation } from './foundation.ts';

describe('droplets that come from elsewhere', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let source: string;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    const app = await foundation.createApp('source');
    source = await foundation.stage(app.guid, shop('v1'));
  });
  afterAll(() => foundation.close());

  function staged(guid: string): Promise<Json> {
    return foundation.until('the droplet', async () => {
      const { body } = await call('GET', `/v3/droplets/${guid}`);
      return ['STAGED', 'FAILED'].includes(body.state) && body;
    });
  }

  async function runs(appGuid: string, host: string, droplet: string): Promise<void> {
    await call('PATCH', `/v3/apps/${appGuid}/relationships/current_droplet`, { data: { guid: droplet } });
    await foundation.mapRoute(appGuid, host);
    await call('POST', `/v3/apps/${appGuid}/actions/start`);
    await foundation.until('an answer', async () => (await foundation.get(host)).body?.version === 'v1');
  }

  it('are copied to another application, where they run although the first is deleted', async () => {
    const target = await foundation.createApp('copied');
    const relationships = { app: { data: { guid: target.guid } } };
    const copy = await call('POST', `/v3/droplets?source_guid=${source}`, { relationships });
    expect([copy.status, copy.body.state, copy.body.process_types]).toEqual([201, 'COPYING', null]);
    const early = await call('PATCH', `/v3/apps/${target.guid}/relationships/current_droplet`, {
      data: { guid: copy.body.guid },
    });
    expect(early.status).toBe(422);
    const done = await staged(copy.body.guid);
    const original = (await call('GET', `/v3/droplets/${source}`)).body;
    expect(done).toMatchObject({
      state: 'STAGED',
      checksum: original.checksum,
      process_types: { web: 'node server.js' },
    });
    await runs(target.guid, 'copied', copy.body.guid);
  });

  it('are taken down by a link that needs no token, and up again', async () => {
    const download = await call('GET', `/v3/droplets/${source}/download`);
    expect(download.status).toBe(302);
    const link = String(download.headers.location);
    const bits = await send('GET', link, {});
    expect([bits.status, bits.bytes.readUInt16BE(0)]).toEqual([200, 0x1f8b]);
    expect((await send('GET', link.replace(/signature=.../, 'signature=000'), {})).status).toBe(404);

    const app = await foundation.createApp('uploaded');
    const relationships = { app: { data: { guid: app.guid } } };
    const process_types = { web: 'node server.js' };
    const empty = await call('POST', '/v3/droplets', { relationships, process_types });
    expect([empty.status, empty.body.state, empty.body.links.upload.method]).toEqual([
      201,
      'AWAITING_UPLOAD',
      'POST',
    ]);
    const path = `/v3/droplets/${empty.body.guid}/upload`;
    const uploaded = await foundation.uploadBits(path, 'droplet.tgz', bits.bytes);
    expect([uploaded.status, uploaded.body.state]).toEqual([202, 'PROCESSING_UPLOAD']);
    expect(await foundation.job(uploaded)).toMatchObject({ operation: 'droplet.upload', state: 'COMPLETE' });
    expect(await staged(empty.body.guid)).toMatchObject({ state: 'STAGED', checksum: { type: 'sha256' } });
    expect((await foundation.uploadBits(path, 'droplet.tgz', bits.bytes)).status).toBe(422);
    await runs(app.guid, 'uploaded', empty.body.guid);
  });

  it('are FAILED when the bits are no droplet', async () => {
    const app = await foundation.createApp('broken');
    const relationships = { app: { data: { guid: app.guid } } };
    const empty = await call('POST', '/v3/droplets', { relationships });
    await foundation.uploadBits(
      `/v3/droplets/${empty.body.guid}/upload`,
      'droplet.tgz',
      Buffer.from('no tar'),
    );
    const failed = await staged(empty.body.guid);
    expect([failed.state, typeof failed.error]).toEqual(['FAILED', 'string']);
  });

  it('refuse sources and applications that do not exist', async () => {
    const app = await foundation.createApp('nobody');
    const relationships = { app: { data: { guid: app.guid } } };
    expect((await call('POST', '/v3/droplets?source_guid=none', { relationships })).status).toBe(404);
    const none = { app: { data: { guid: 'none' } } };
    const answer = await call('POST', `/v3/droplets?source_guid=${source}`, { relationships: none });
    expect(answer.body.errors[0].detail).toBe(
      'App with guid "none" does not exist, or you do not have access to it.',
    );
  });

  it('copy packages too', async () => {
    const { body } = await call('GET', '/v3/packages');
    const app = await foundation.createApp('repackaged');
    const relationships = { app: { data: { guid: app.guid } } };
    const copy = await call('POST', `/v3/packages?source_guid=${body.resources[0].guid}`, { relationships });
    expect([copy.status, copy.body.state]).toEqual([201, 'COPYING']);
    const ready = await foundation.until('the copy', async () => {
      const { body: now } = await call('GET', `/v3/packages/${copy.body.guid}`);
      return now.state === 'READY' && now;
    });
    expect(ready.data.checksum).toEqual(body.resources[0].data.checksum);
  });
});
