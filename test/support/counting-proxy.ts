import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a platform's API and counts what passes, as `POST /v3/packages`. */
export interface CountingProxy {
  /** `http://127.0.0.1:PORT`, or the path of its socket. */
  readonly address: string;
  readonly seen: string[];
  close(): Promise<void>;
}

/** `to`: a URL, or the path of a socket; then it listens on a socket too, at `listen`. */
export async function openCountingProxy(to: string, listen?: string): Promise<CountingProxy> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request;
    seen.push(`${method} ${url.split('?')[0]}`);
    const options = { method, headers, path: url };
    const passed = to.startsWith('http')
      ? send({ ...options, host: new URL(to).hostname, port: new URL(to).port })
      : send({ ...options, socketPath: to });
    passed.on('error', () => response.destroy());
    passed.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  });
  await new Promise<void>((done) => {
    if (listen === undefined) server.listen(0, '127.0.0.1', done);
    else server.listen(listen, done);
  });
  return {
    address: listen ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

export function writesIn(seen: readonly string[]): readonly string[] {
  return seen.filter((line) => !/^(GET|HEAD|OPTIONS) /.test(line));
}
