import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Cleanup, listen } from '../gateway/harness.ts';
import { SoakClient } from './soak-exchange.ts';

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const UPGRADE = 'GET /socket HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n';

describe("a client of the soak's", () => {
  const cleanup: Cleanup = { tasks: [] };
  afterEach(async () => {
    for (const task of cleanup.tasks.splice(0)) await task();
  });

  it('does not lose the connection of its next request to the end of a tunnel it left', async () => {
    const server = http.createServer((_request, response) => response.end('here'));
    server.on('upgrade', (_request, socket) => {
      socket.on('error', () => socket.destroy());
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
    });
    const client = new SoakClient(await listen(server));
    cleanup.tasks.push(() => {
      client.close();
      server.closeAllConnections();
      server.close();
    });
    for (let round = 0; round < 5; round += 1) {
      expect(await client.upgrade(UPGRADE, 1, false)).toEqual({ kind: 'done' });
      const request = { head: GET, upload: 0, givesUp: { when: 'never' } } as const;
      expect(await client.exchange(request)).toEqual({ kind: 'done' });
    }
  });
});
