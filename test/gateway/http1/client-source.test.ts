import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientSource } from '../../../src/gateway/http1/client-source.ts';
import { until } from '../harness.ts';

describe('ClientSource', () => {
  let server: Server;
  let client: Socket;
  let served: Socket;

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    [served] = (await accepted) as [Socket];
  });

  afterEach(() => {
    client.destroy();
    served.destroy();
    server.close();
  });

  it('hands over what comes, and the end after it', async () => {
    const came: string[] = [];
    new ClientSource(served, (chunk) => came.push(chunk.toString()));
    const ended = once(served, 'end');
    client.write('one');
    await until(() => came.length === 1);
    client.end('two');
    await ended;
    expect(came).toEqual(['one', 'two']);
  });

  it('reads no further while it is held back, and loses nothing', async () => {
    const sent = Buffer.alloc(4 * 1_048_576, 'abcdefghij');
    const came: Buffer[] = [];
    const source = new ClientSource(served, (chunk) => {
      came.push(Buffer.from(chunk));
      source.hold();
    });
    const ended = once(served, 'end');
    client.end(sent);
    await until(() => came.length === 1);
    await sleep(50);
    expect(came).toHaveLength(1);

    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      source.release();
      await sleep(1);
    }
    expect(Buffer.concat(came).equals(sent)).toBe(true);
  });

  it('releases what was never held without asking twice', async () => {
    const came: string[] = [];
    const source = new ClientSource(served, (chunk) => came.push(chunk.toString()));
    source.release();
    client.write('one');
    await until(() => came.length === 1);
    source.hold();
    source.release();
    source.release();
    client.write('two');
    await until(() => came.length === 2);
    expect(came.join()).toBe('one,two');
  });

  it('begins with what was read before and put back', async () => {
    client.write('one');
    const [first] = (await once(served, 'data')) as [Buffer];
    served.removeAllListeners('data');
    served.pause();
    served.unshift(first);
    const came: string[] = [];
    new ClientSource(served, (chunk) => came.push(chunk.toString()));
    served.resume();
    client.write('two');
    await until(() => came.join('') === 'onetwo');
  });
});
