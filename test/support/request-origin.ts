import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { ObservedOrigin } from '../../src/core/provider.ts';

export interface OriginAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One GET on a connection of its own, with the origin's Host and SNI; rejects when nothing answers in time. */
export function requestOrigin(
  origin: ObservedOrigin,
  path: string,
  options: { ca?: string; timeoutMs?: number } = {},
): Promise<OriginAnswer> {
  const url = new URL(path, origin.url);
  const send = url.protocol === 'https:' ? secure : plain;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        agent: false,
        timeout: options.timeoutMs ?? 5_000,
        headers: origin.hostHeader === undefined ? {} : { host: origin.hostHeader },
        ...(origin.sni === undefined ? {} : { servername: origin.sni }),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url.origin} in time`)));
    request.on('error', reject);
    request.end();
  });
}
