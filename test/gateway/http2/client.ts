import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Cleanup } from '../harness.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  /** Statuses of 1xx that came before, with their fields. */
  readonly interim: readonly IncomingHttpHeaders[];
}

export function connect(cleanup: Cleanup, port: number, secure = false): ClientHttp2Session {
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
  // What a test writes at once may be a lot.
  const session = http2.connect(url, { rejectUnauthorized: false, maxSessionMemory: 200 });
  session.on('error', () => undefined);
  cleanup.tasks.unshift(() => session.destroy());
  return session;
}

/** Rejects when the answer is cut. */
export function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    const interim: IncomingHttpHeaders[] = [];
    const chunks: Buffer[] = [];
    stream.on('headers', (its: IncomingHttpHeaders) => interim.push(its));
    stream.on('response', (its) => {
      headers = its;
    });
    stream.on('trailers', (its) => {
      trailers = its;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('aborted', () => reject(new Error('aborted')));
    stream.on('close', () => {
      if (stream.rstCode !== 0 || headers[':status'] === undefined) {
        reject(new Error(`reset with ${stream.rstCode}`));
        return;
      }
      const body = Buffer.concat(chunks).toString('latin1');
      resolve({ status: Number(headers[':status']), headers, body, trailers, interim });
    });
  });
}

export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Answer> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerTo(stream);
}
