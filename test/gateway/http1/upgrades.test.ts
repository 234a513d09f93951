import { createHash, randomBytes } from 'node:crypto';
import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../../src/core/settings.ts';
import { createCompatWire } from '../../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import {
  type Cleanup,
  type CreateWire,
  rawOrigin,
  startGateway,
  type TestGateway,
  type TestOrigin,
  tableOf,
  until,
} from '../harness.ts';

const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n';
/** Five bytes of text, from the server, and masked, from the client. */
const HELLO = Buffer.from([0x81, 5, ...Buffer.from('hello')]);
const HELLO_MASKED = Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('hello')]);
const CLOSE_1001 = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

interface End {
  readonly socket: Socket;
  /** What came behind the head. */
  bytes(): Buffer;
  head(): string;
}

function endOf(socket: Socket): End {
  let all = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    all = Buffer.concat([all, chunk]);
  });
  return {
    socket,
    bytes: () => all.subarray(all.indexOf('\r\n\r\n') + 4),
    head: () => all.subarray(0, all.indexOf('\r\n\r\n') + 4).toString('latin1'),
  };
}

/** The payload of a masked Close at the end of these bytes: its code. */
function maskedCode(bytes: Buffer): number {
  const frame = bytes.subarray(-8);
  expect([...frame.subarray(0, 2)]).toEqual([0x88, 0x82]);
  return ((frame[6]! ^ frame[2]!) << 8) | (frame[7]! ^ frame[3]!);
}

const http1: CreateWire = (settings, clock) => createHttp1Wire(settings, clock, { poison: true });

describe('upgrades', () => {
  let cleanup: Cleanup = { tasks: [] };
  let server: End | undefined;

  beforeEach(() => {
    cleanup = { tasks: [] };
    server = undefined;
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  function switching(): Promise<TestOrigin> {
    return rawOrigin(cleanup, (socket) => {
      server = endOf(socket);
      socket.once('data', () => socket.write(SWITCHED));
    });
  }

  async function open(
    timeouts: Partial<GatewaySettings['timeouts']> = {},
    createWire = http1,
  ): Promise<TestGateway & { readonly client: End; readonly server: End; readonly origin: TestOrigin }> {
    const origin = await switching();
    const started = await startGateway(
      cleanup,
      createWire,
      tableOf({ a: { urls: [origin.url] } }),
      (base) => ({ timeouts: { ...base.timeouts, ...timeouts } }),
    );
    const socket = net.connect({ host: '127.0.0.1', port: started.port, allowHalfOpen: true });
    cleanup.tasks.unshift(() => socket.destroy());
    const client = endOf(socket);
    socket.write(HANDSHAKE);
    await until(() => client.head().startsWith('HTTP/1.1 101 ') && server !== undefined);
    return { ...started, client, server: server!, origin };
  }

  it('pass key, version, accept and extensions through', async () => {
    const { client, server } = await open({ drainMs: 0 });
    expect(server.head()).toMatch(/\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n/i);
    expect(server.head()).toMatch(/\r\nsec-websocket-version: 13\r\n/i);
    expect(server.head()).toMatch(/\r\nsec-websocket-extensions: permessage-deflate\r\n/i);
    expect(client.head()).toMatch(/\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
    expect(client.head()).toMatch(/\r\nsec-websocket-extensions: permessage-deflate\r\n/i);
    expect(client.head()).not.toMatch(/\r\n(content-length|transfer-encoding|date):/i);
  });

  it.each([
    ['http1', http1],
    ['compat', createCompatWire],
  ])(
    'say Close 1001 to both sides between frames after a drain too long, over the %s wire',
    async (_name, wire) => {
      const { client, server, gateway } = await open({ drainMs: 150 }, wire);
      server.socket.write(HELLO);
      client.socket.write(HELLO_MASKED);
      // Both in the middle of a frame when the time is over.
      server.socket.write(HELLO.subarray(0, 3));
      client.socket.write(HELLO_MASKED.subarray(0, 1));
      await until(() => client.bytes().length === HELLO.length + 3);
      await until(() => server.bytes().length === HELLO_MASKED.length + 1);
      const closed = gateway.close();
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(client.bytes()).toHaveLength(HELLO.length + 3);
      // What follows the frame under way passes no more.
      server.socket.write(Buffer.concat([HELLO.subarray(3), HELLO, HELLO]));
      client.socket.write(Buffer.concat([HELLO_MASKED.subarray(1), HELLO_MASKED]));
      await until(() => client.socket.readableEnded && server.socket.readableEnded);
      expect(client.bytes()).toEqual(Buffer.concat([HELLO, HELLO, CLOSE_1001]));
      expect(server.bytes().subarray(0, -8)).toEqual(Buffer.concat([HELLO_MASKED, HELLO_MASKED]));
      expect(maskedCode(server.bytes())).toBe(1001);
      client.socket.end();
      server.socket.end();
      await closed;
      expect(gateway.metrics().active).toBe(0);
    },
  );

  it('say it at once where no frame is under way, and ends when both sides do', async () => {
    const { client, server, gateway } = await open({ drainMs: 50 });
    const startedAt = performance.now();
    for (const each of [client, server]) each.socket.on('end', () => each.socket.end());
    await gateway.close();
    // Not by the deadline for ends that do not answer.
    expect(performance.now() - startedAt).toBeLessThan(900);
    await until(() => client.socket.readableEnded && server.socket.readableEnded);
    expect(client.bytes()).toEqual(CLOSE_1001);
    expect(maskedCode(server.bytes())).toBe(1001);
  });

  it('say it when they have lived as long as they may', async () => {
    const { client, server, gateway } = await open({ upgradeMs: 300 });
    server.socket.write(HELLO);
    for (const each of [client, server]) each.socket.on('end', () => each.socket.end());
    await until(() => client.socket.readableEnded && server.socket.readableEnded);
    expect(client.bytes()).toEqual(Buffer.concat([HELLO, CLOSE_1001]));
    expect(maskedCode(server.bytes())).toBe(1001);
    await until(() => gateway.metrics().active === 0);
    expect(gateway.metrics().upgrades).toBe(0);
  });

  it('say it when the origin has left the table and the drain is over', async () => {
    const { client, server, gateway } = await open({ drainMs: 100 });
    gateway.swap(tableOf({}));
    for (const each of [client, server]) each.socket.on('end', () => each.socket.end());
    await until(() => client.socket.readableEnded && server.socket.readableEnded);
    expect(client.bytes()).toEqual(CLOSE_1001);
    await until(() => gateway.metrics().active === 0);
  });

  it('wait for no frame that does not end', async () => {
    const { client, server, gateway } = await open({ drainMs: 50 });
    server.socket.write(HELLO.subarray(0, 3));
    client.socket.write(HELLO_MASKED.subarray(0, 3));
    await until(() => client.bytes().length === 3 && server.bytes().length === 3);
    await gateway.close();
    await until(() => client.socket.readableEnded || client.socket.destroyed);
    // Half a frame and then an end: nobody takes it for a message, and no Close stands in its middle.
    expect(client.bytes()).toEqual(HELLO.subarray(0, 3));
    expect(server.bytes()).toEqual(HELLO_MASKED.subarray(0, 3));
  });

  it('add no second Close to one that has passed', async () => {
    const { client, server, gateway } = await open({ drainMs: 100 });
    const theirs = Buffer.from([0x88, 0x02, 0x03, 0xe8]);
    server.socket.write(theirs);
    await until(() => client.bytes().length === theirs.length);
    const closed = gateway.close();
    await until(() => client.socket.readableEnded && server.socket.readableEnded);
    expect(client.bytes()).toEqual(theirs);
    expect(maskedCode(server.bytes())).toBe(1001);
    client.socket.end();
    server.socket.end();
    await closed;
  });

  it('hold either side back while the other does not read', async () => {
    for (const reversed of [false, true]) {
      const { client, server } = await open({ drainMs: 0 });
      const [from, to] = reversed ? [client.socket, server.socket] : [server.socket, client.socket];
      to.removeAllListeners('data');
      to.pause();
      const chunk = Buffer.alloc(262_144);
      const most = 128 * 1024 * 1024;
      let sent = 0;
      let before = -1;
      while (before !== sent && sent < most) {
        before = sent;
        while (from.writableLength === 0 && sent < most) {
          sent += chunk.length;
          from.write(chunk);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      // All of it would mean that somebody keeps what nobody reads.
      expect(sent).toBeLessThan(most);
      from.destroy();
      to.destroy();
    }
  });

  it('pass megabytes both ways, and rewrite none of them', async () => {
    const { client, server } = await open({ drainMs: 0 });
    const size = 24 * 1024 * 1024;
    const content = randomBytes(size);
    const results = await Promise.all(
      [
        { from: client.socket, to: server.socket },
        { from: server.socket, to: client.socket },
      ].map(async ({ from, to }) => {
        to.removeAllListeners('data');
        to.pause();
        const got = createHash('sha1');
        let sent = 0;
        let received = 0;
        const push = (): void => {
          while (sent < size) {
            const at = sent;
            sent = Math.min(size, sent + 1 + ((at * 7_919) % 90_001));
            if (!from.write(content.subarray(at, sent))) return void from.once('drain', push);
          }
        };
        push();
        // Nobody reads yet: all that fits in between has been taken, and the rest waits.
        await new Promise((resolve) => setTimeout(resolve, 200));
        to.on('data', (chunk) => {
          received += chunk.length;
          got.update(chunk);
        });
        to.resume();
        await until(() => received === size, 20_000);
        return got.digest('hex');
      }),
    );
    const whole = createHash('sha1').update(content).digest('hex');
    expect(results).toEqual([whole, whole]);
  });
});
