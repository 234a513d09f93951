import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseEventStream } from '../../src/cli/event-stream.ts';
import { type ServerClient, serverClient } from '../../src/cli/server-client.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { type TestAdmin, testAdmin } from '../observe/admin.ts';
import { type OriginServer, originServer } from '../support/origin-server.ts';

let stranger: OriginServer;
let admin: TestAdmin;
let client: ServerClient;

beforeEach(async () => {
  stranger = await originServer((_request, response) => {
    response.statusCode = 418;
    response.end('<h1>I am a teapot</h1>');
  });
  const tokens = { ci: { token: 'of-ci', role: 'operate' } } as const;
  admin = await testAdmin({
    tokens,
    control: {
      resume: async (id) => {
        throw new SluiceError('LOCK_HELD', `somebody else works on ${id}`, { why: 'pid 7' });
      },
    },
  });
  client = serverClient(admin.url, 'of-ci');
});

afterEach(async () => {
  await client.close();
  await admin.close();
  await stranger.close();
});

describe('the client of the admin API', () => {
  it('tells whether anybody answers', async () => {
    expect(await client.look()).toBe('there');
    const nobody = serverClient('http://127.0.0.1:1', undefined);
    expect(await nobody.look()).toBe('absent');
    await nobody.close();
    const other = serverClient(stranger.url, undefined);
    expect(await other.look()).toBe('absent');
    await other.close();
  });

  it('brings the server’s own error, as it was there', async () => {
    await expect(client.resume('d-1/x')).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: 'somebody else works on d-1/x',
      details: { why: 'pid 7' },
    });
  });

  it('knows a server that is none of ours', async () => {
    const other = serverClient(stranger.url, undefined);
    await expect(other.status()).rejects.toMatchObject({
      code: 'SERVER_REFUSED',
      details: { where: stranger.url, why: expect.stringContaining('teapot') },
    });
    await other.close();
  });

  it('is refused without its token', async () => {
    const nameless = serverClient(admin.url, undefined);
    await expect(nameless.status()).rejects.toMatchObject({ code: 'SERVER_REFUSED' });
    await expect(nameless.follow('now', () => {}, new AbortController().signal)).rejects.toMatchObject({
      code: 'SERVER_REFUSED',
    });
    await nameless.close();
  });

  it('follows events until told to stop', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    let tried: () => void = () => {};
    const opened = new Promise<void>((done) => {
      tried = done;
    });
    const followed = client.follow(
      'now',
      ({ seq }) => {
        seen.push(seq);
        if (seen.length === 2) stop.abort();
      },
      stop.signal,
      tried,
    );
    await opened;
    for (const error of ['a', 'b']) {
      admin.events.append({ type: 'platform.api.down', platform: 'cf', error });
    }
    await followed;
    expect(seen).toEqual([1, 2]);
  });
});

describe('an event stream', () => {
  it('is put together again however it was cut', async () => {
    const text = Buffer.from(': hello\n\nid: 1\ndata: {"a":"ä"}\n\ndata: one\ndata: two\n\ndata: cut off');
    for (const size of [1, 2, 3, 7, 1_000]) {
      async function* chunks(): AsyncGenerator<Buffer> {
        for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
      }
      const found: string[] = [];
      for await (const data of parseEventStream(chunks())) found.push(data);
      expect(found).toEqual(['{"a":"ä"}', 'one\ntwo']);
    }
  });
});
