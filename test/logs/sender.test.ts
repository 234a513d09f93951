import { createServer as createHttp } from 'node:http';
import { createServer as createPlain, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { drainPlace } from '../../src/core/log-drain.ts';
import type { LogEntry } from '../../src/core/logs.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { createSender, type Sender } from '../../src/logs/sender.ts';
import { until } from '../support/processes.ts';

const ENTRY: LogEntry = {
  ...{
    at: 1_764_000_000_123,
    application: 'shop',
    platform: 'cf-eu',
    source: 'app',
    text: 'größer "als" je',
  },
  ...{ instance: '0', release: 'r-0123456789', number: 42 },
};
const SYSLOG =
  '<14>1 2025-11-24T16:00:00.123Z cf-eu shop 0 app [sluice@32473 platform="cf-eu" release="r-0123456789" number="42" instance="0"] größer "als" je';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
const signal = new AbortController().signal;

function sender(to: string, more: Parameters<typeof createSender>[1] = {}): Sender {
  const place = drainPlace(to);
  if (place === undefined) throw new Error(`${to} is no place`);
  const made = createSender(place, more);
  undo.push(() => made.close());
  return made;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  undo.push(() => new Promise((done) => server.close(done)));
  return (server.address() as { port: number }).port;
}

/** A collector that reads messages by their length. */
function collector(): {
  readonly messages: () => string[];
  readonly take: (socket: Socket) => void;
  hangUp(): void;
} {
  const sockets: Socket[] = [];
  let bytes = Buffer.alloc(0);
  return {
    messages() {
      const found: string[] = [];
      for (let rest = bytes; rest.length > 0; ) {
        const blank = rest.indexOf(' ');
        const length = Number(rest.subarray(0, blank).toString());
        found.push(rest.subarray(blank + 1, blank + 1 + length).toString());
        rest = rest.subarray(blank + 1 + length);
      }
      return found;
    },
    take(socket) {
      sockets.push(socket);
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
      });
      socket.on('error', () => undefined);
    },
    hangUp() {
      for (const socket of sockets.splice(0)) socket.destroy();
    },
  };
}

describe('syslog', () => {
  it('is RFC 5424 over TCP, each message framed by its length', async () => {
    const { messages, take, hangUp } = collector();
    const port = await listen(createPlain(take));
    undo.push(hangUp);
    const own: LogEntry = { at: 0, application: 'shop', source: 'sluice', text: '3 lines are missing here' };
    await sender(`syslog+tcp://127.0.0.1:${port}`).send([ENTRY, own], signal);
    await until('they are there', async () => messages().length === 2);
    expect(messages()).toEqual([
      SYSLOG,
      '<12>1 1970-01-01T00:00:00.000Z - shop - sluice [sluice@32473] 3 lines are missing here',
    ]);
  });

  it('goes over TLS only to who is known', async () => {
    const { messages, take, hangUp } = collector();
    const { certificate: cert, key } = selfSignedCertificate(['127.0.0.1', 'localhost']);
    const port = await listen(createTls({ cert, key }, take));
    undo.push(hangUp);
    const to = `syslog+tls://localhost:${port}`;
    await expect(sender(to).send([ENTRY], signal)).rejects.toThrow(/self.signed/);
    await sender(to, { ca: cert }).send([ENTRY], signal);
    await until('it is there', async () => messages().length === 1);
    expect(messages()).toEqual([SYSLOG]);
  });

  it('connects anew after the other side hung up', async () => {
    const { messages, take, hangUp } = collector();
    const port = await listen(createPlain(take));
    undo.push(hangUp);
    const drain = sender(`syslog://127.0.0.1:${port}`);
    await drain.send([ENTRY], signal);
    await until('it is there', async () => messages().length === 1);
    hangUp();
    await until('it is sent anew', async () => {
      await drain.send([ENTRY], signal).catch(() => undefined);
      return messages().length > 1;
    });
  });

  it('rejects when nobody listens', async () => {
    await expect(sender('syslog+tcp://127.0.0.1:1').send([ENTRY], signal)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('otlp', () => {
  it('posts JSON with the resource each line comes from; what may be taken later is tried again', async () => {
    const bodies: { resourceLogs: object[] }[] = [];
    let status = 200;
    const server = createHttp((request, response) => {
      expect(request.url).toBe('/v1/logs');
      expect(request.headers['x-token']).toBe('t');
      let text = '';
      request.on('data', (part) => {
        text += part;
      });
      request.on('end', () => {
        bodies.push(JSON.parse(text));
        response.statusCode = status;
        response.end(status === 200 ? '{"partialSuccess":{"rejectedLogRecords":"1"}}' : '');
      });
    });
    const port = await listen(server);
    const drain = sender(`otlp+http://127.0.0.1:${port}`, { headers: { 'x-token': 't' } });
    expect(await drain.send([ENTRY, { ...ENTRY, platform: 'rack' }], signal)).toEqual({ refused: 1 });
    expect(bodies[0]?.resourceLogs).toHaveLength(2);
    expect(bodies[0]?.resourceLogs[0]).toEqual({
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'shop' } },
          { key: 'service.version', value: { stringValue: 'r42' } },
          { key: 'service.instance.id', value: { stringValue: '0' } },
          { key: 'sluice.platform', value: { stringValue: 'cf-eu' } },
          { key: 'sluice.release', value: { stringValue: 'r-0123456789' } },
        ],
      },
      scopeLogs: [
        {
          scope: { name: 'sluice' },
          logRecords: [
            {
              timeUnixNano: '1764000000123000000',
              severityNumber: 9,
              severityText: 'INFO',
              body: { stringValue: ENTRY.text },
              attributes: [{ key: 'log.source', value: { stringValue: 'app' } }],
            },
          ],
        },
      ],
    });
    status = 503;
    await expect(drain.send([ENTRY], signal)).rejects.toThrow(/503/);
    status = 400;
    expect(await drain.send([ENTRY], signal)).toEqual({ refused: 1 });
  });
});

describe('the address of a drain', () => {
  it.each([
    ['syslog+tls://logs.example.com', { kind: 'syslog', host: 'logs.example.com', port: 6514, tls: true }],
    ['syslog://10.0.0.1', { kind: 'syslog', host: '10.0.0.1', port: 514, tls: false }],
    ['syslog+tcp://[::1]:80', { kind: 'syslog', host: '::1', port: 80, tls: false }],
    ['otlp+https://c.example.com/otel/v1/logs', { kind: 'otlp', url: 'https://c.example.com/otel/v1/logs' }],
    ['otlp+http://c:4318', { kind: 'otlp', url: 'http://c:4318/v1/logs' }],
    ['otlp://c:4318', undefined],
    ['syslog+udp://c', undefined],
    ['https://c', undefined],
    ['syslog+tls://c/path', undefined],
  ])('%s', (to, place) => expect(drainPlace(to)).toEqual(place));
});
