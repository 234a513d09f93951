import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { connectionsIn, openFilesOf, parseTcp } from './sockets.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 31338 1 0 20 4 30 10 -1
   2: 0100007F:9C41 0100007F:6978 01 00000000:00000000 00:00000000 00000000     0        0 31339 1 0 20 4 30 10 -1
   3: 0100007F:9C42 0100007F:6978 08 00000000:00000000 00:00000000 00000000     0        0 31340 1 0 20 4 30 10 -1
   4: 0100007F:9C43 0100007F:1388 01 00000000:00000000 00:00000000 00000000     0        0 31341 1 0 20 4 30 10 -1
`;

describe('the sockets of a process', () => {
  it('are read from the table of the kernel', () => {
    expect(parseTcp(TABLE)).toHaveLength(5);
    expect(parseTcp(TABLE)[3]).toEqual({
      inode: 31_340,
      localPort: 40_002,
      remotePort: 27_000,
      state: 'close-wait',
    });
  });

  it('are clients or upstream connections by their ports', () => {
    expect(connectionsIn(parseTcp(TABLE), { gateway: 8_080, origins: new Set([27_000]) })).toEqual({
      clients: 1,
      upstream: 2,
      closeWait: 1,
    });
  });

  if (process.platform !== 'linux') process.stderr.write('skipped: only Linux has /proc\n');
  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('are those of this process, while they are open', async () => {
    const server = createServer((accepted) => accepted.resume().on('end', () => accepted.end()));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const toServer = (): number =>
      openFilesOf(process.pid).sockets.filter(({ remotePort }) => remotePort === port).length;
    const client = connect(port, '127.0.0.1');
    await new Promise((connected) => client.once('connect', connected));
    expect(toServer()).toBe(1);
    client.destroy();
    await new Promise((closed) => server.close(closed));
    expect(toServer()).toBe(0);
  });
});
