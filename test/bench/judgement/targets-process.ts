import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How many ports answer: one would run out of peers' ports at thousands of connections a second. */
const PORTS = Number(process.argv[2]);

const ports: number[] = [];
for (let i = 0; i < PORTS; i++) {
  const server = createServer((_request, response) => {
    response.setHeader('x-release', 'r-0123456789');
    response.end('ok');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', 4_096, ready));
  ports.push((server.address() as AddressInfo).port);
}
process.on('disconnect', () => process.exit(0));
process.send?.(ports);
