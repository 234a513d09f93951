import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import { type ApiClient, createApiClient } from '../../src/lib/api-client.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

async function serve(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server: Server = createServer(handle);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push({
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(baseUrl: string, onUnauthorized?: () => Promise<void>): ApiClient {
  const made = createApiClient({
    platform: 'cf-eu',
    baseUrl,
    random: () => 0,
    headers: async () => ({ authorization: 'Bearer t' }),
    ...(onUnauthorized ? { onUnauthorized } : {}),
    errorOf: (answer) =>
      platformError(
        answer.status === 404 ? 'notFound' : 'unavailable',
        'cf-eu',
        `answered ${answer.status}`,
        {
          ...(answer.status === 429 ? { retryAfterMs: 10 } : {}),
        },
      ),
  });
  open.push(made);
  return made;
}

describe('the API client', () => {
  it('repeats a GET that met a transient error', async () => {
    let calls = 0;
    const url = await serve((_req, res) => {
      calls++;
      res.statusCode = calls < 3 ? 429 : 200;
      res.end('{"fine":true}');
    });
    expect((await client(url).call({ method: 'GET', path: '/v3' })).json).toEqual({ fine: true });
    expect(calls).toBe(3);
  });

  it('never repeats a POST by itself', async () => {
    let calls = 0;
    const url = await serve((_req, res) => {
      calls++;
      res.statusCode = 502;
      res.end();
    });
    await expect(client(url).call({ method: 'POST', path: '/v3/apps', json: {} })).rejects.toThrow('502');
    expect(calls).toBe(1);
  });

  it('renews the token once on 401 and makes the call again', async () => {
    let renewed = 0;
    const url = await serve((_req, res) => {
      res.statusCode = renewed === 0 ? 401 : 200;
      res.end('{}');
    });
    const api = client(url, async () => void renewed++);
    expect((await api.call({ method: 'POST', path: '/x' })).status).toBe(200);
    expect(renewed).toBe(1);
  });

  it('names the address and the reason when nothing listens', async () => {
    const url = await serve(() => undefined);
    await open.splice(0)[0]?.close();
    await expect(client(url).call({ method: 'POST', path: '/x' })).rejects.toMatchObject({
      class: 'unavailable',
      message: expect.stringContaining(url),
      details: { why: expect.stringContaining('ECONNREFUSED') },
    });
  });

  it('sends its token to no other host', async () => {
    const url = await serve((_req, res) => res.end('{}'));
    await expect(
      (async () => client(url).call({ method: 'GET', path: 'http://127.0.0.2:1/steal' }))(),
    ).rejects.toThrow('refusing to send credentials');
  });
});

describe('an answer that is read while it comes', () => {
  it('hands out what is there before the end, and asks once more after a 401', async () => {
    let calls = 0;
    const url = await serve((_, res) => {
      calls += 1;
      if (calls === 1) {
        res.statusCode = 401;
        res.end();
        return;
      }
      res.write('one');
    });
    const stream = await client(url, async () => undefined).stream({ method: 'GET', path: '/' });
    for await (const chunk of stream?.body ?? []) {
      expect(chunk.toString()).toBe('one');
      break;
    }
    expect(calls).toBe(2);
  });

  it('is an error where the answer is a refusal', async () => {
    const url = await serve((_, res) => {
      res.statusCode = 404;
      res.end('no such thing');
    });
    await expect(client(url).stream({ method: 'GET', path: '/' })).rejects.toMatchObject({
      class: 'notFound',
    });
  });
});
