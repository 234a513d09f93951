import { createServer, type Server, request as send } from 'node:http';

/** Stands before the daemon's socket and does what a daemon does that is not well. */
export interface FaultySocket {
  readonly path: string;
  /** The next three calls are answered 500. */
  failThrice(): void;
  /** The next upload is reset when part of it has arrived. */
  cutUpload(): void;
  /** What was asked for and hit nothing yet. */
  pending(): readonly string[];
  close(): Promise<void>;
}

export async function faultySocket(daemon: string): Promise<FaultySocket> {
  const path = `${daemon}.faulty`;
  let failures = 0;
  let cuts = 0;
  const server: Server = createServer((incoming, response) => {
    if (failures > 0) {
      failures--;
      incoming.resume();
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end('{"error":{"code":"BUG","message":"EIO: i/o error, write"}}');
      return;
    }
    if (cuts > 0 && incoming.url?.endsWith('/content')) {
      cuts--;
      incoming.once('data', () => incoming.socket.destroy());
      return;
    }
    const { method, headers } = incoming;
    const onward = send(
      { socketPath: daemon, path: incoming.url, method, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((done) => server.listen(path, done));

  return {
    path,
    failThrice() {
      failures = 3;
    },
    cutUpload: () => void cuts++,
    pending: () => [...(failures > 0 ? ['500-thrice'] : []), ...(cuts > 0 ? ['upload-cut-once'] : [])],
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
