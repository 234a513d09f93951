import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import {
  type Cleanup,
  type CreateWire,
  rawOrigin,
  startGateway,
  type TestOrigin,
  tableOf,
  until,
} from './harness.ts';

const WIRES: readonly (readonly [string, CreateWire])[] = [
  ['compat', createCompatWire],
  ['http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true })],
];

const BROKEN = 'HTTP/1.1 200 OK\r\nx-by: broken\r\ncontent-length: 10\r\n\r\nhalf';
const WHOLE = 'HTTP/1.1 200 OK\r\nx-by: whole\r\ncontent-length: 4\r\n\r\ngood';

let cleanup: Cleanup = { tasks: [] };

afterEach(async () => {
  for (const task of cleanup.tasks) await task();
  cleanup = { tasks: [] };
});

/** Answers every request so; what it wrote half of stays unfinished. */
function answers(text: string): Promise<TestOrigin> {
  return rawOrigin(cleanup, (socket) => {
    socket.on('data', () => socket.write(text));
    socket.on('end', () => socket.end());
  });
}

/** All that came of one request. `onHalf`: when half of a body has arrived. */
function get(port: number, onHalf: () => void): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.write('GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n');
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (text.endsWith('half')) onHalf();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

describe.each(WIRES)('over the %s wire', (_name, createWire) => {
  it('an origin that breaks off every answer is ejected, however well they begin', async () => {
    const broken = await answers(BROKEN);
    const whole = await answers(WHOLE);
    const table = tableOf({ a: { urls: [broken.url] }, b: { urls: [whole.url], share: 0 } });
    const { port, ejections } = await startGateway(cleanup, createWire, table, (base) => ({
      ejection: { ...base.ejection, consecutive: 3, minRequests: 1_000 },
    }));
    const breakOff = (): void => {
      for (const socket of broken.sockets) socket.resetAndDestroy();
    };
    for (let i = 0; i < 3; i += 1) expect(await get(port, breakOff)).toMatch(/half$/);
    await until(() => ejections.length > 0);
    expect(ejections[0]).toMatchObject({ platform: 'a', reason: 'consecutive-failures' });
    expect(await get(port, breakOff)).toMatch(/good$/);
  });

  it('an answer that came whole ends the row of broken ones', async () => {
    let breaks = 0;
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.on('data', () => {
        breaks += 1;
        socket.write(breaks % 3 === 0 ? WHOLE : BROKEN);
      });
      socket.on('end', () => socket.end());
    });
    const other = await answers(WHOLE);
    const table = tableOf({ a: { urls: [origin.url] }, b: { urls: [other.url], share: 0 } });
    const { port, ejections } = await startGateway(cleanup, createWire, table, (base) => ({
      ejection: { ...base.ejection, consecutive: 3, minRequests: 1_000 },
    }));
    for (let i = 0; i < 9; i += 1) {
      await get(port, () => {
        for (const socket of origin.sockets) socket.resetAndDestroy();
      });
    }
    expect(breaks).toBe(9);
    expect(ejections).toEqual([]);
  });
});
