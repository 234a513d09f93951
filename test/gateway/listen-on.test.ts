import { connect, createServer, type ListenOptions, Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { listenOn } from '../../src/gateway/listen-on.ts';

const open = new Set<Server>();

afterEach(async () => {
  for (const server of open) await new Promise((closed) => server.close(closed));
  open.clear();
});

function server(): Server {
  const made = createServer((socket) => socket.end());
  open.add(made);
  return made;
}

describe('listening', () => {
  it('tells which port it got where any would do', async () => {
    const port = await listenOn(server(), { host: '127.0.0.1', port: 0 });
    await new Promise<void>((connected) =>
      connect(port, '127.0.0.1', connected).on('error', () => undefined),
    );
  });

  it('says which port is taken', async () => {
    const port = await listenOn(server(), { host: '127.0.0.1', port: 0 });
    const second = createServer();
    await expect(listenOn(second, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      details: { where: `127.0.0.1:${port}` },
    });
  });

  it('lets a burst of clients wait instead of losing the first packets of most', async () => {
    const asked: ListenOptions[] = [];
    class Watched extends Server {
      override listen(...args: unknown[]): this {
        asked.push(args[0] as ListenOptions);
        return Reflect.apply(super.listen, this, args) as this;
      }
    }
    const watched = new Watched();
    open.add(watched);
    await listenOn(watched, { host: '127.0.0.1', port: 0 });
    expect(asked[0]?.backlog).toBeGreaterThanOrEqual(4_096);
  });
});
