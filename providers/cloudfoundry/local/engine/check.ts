import { get } from 'node:http';
import { connect } from 'node:net';

export interface Check {
  readonly type: 'port' | 'http' | 'process';
  readonly path: string;
  readonly timeoutMs: number;
}

/** One look at an instance over a connection of its own. `process` is true by definition: the process lives. */
export function check(port: number, { type, path, timeoutMs }: Check): Promise<boolean> {
  if (type === 'process') return Promise.resolve(true);
  return type === 'http' ? checkHttp(port, path, timeoutMs) : checkPort(port, timeoutMs);
}

function checkPort(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs });
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}

/** Only 200 counts: a redirect to a login page is no health. */
function checkHttp(port: number, path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        timeout: timeoutMs,
        headers: { 'user-agent': 'diego-healthcheck' },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
        response.on('end', () => request.destroy());
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}
