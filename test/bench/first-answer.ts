import { readFileSync } from 'node:fs';
import http from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import https from 'node:https';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { CertificateFiles, RunningProxy } from './contender.ts';
import { REQUEST_PATH } from './request.ts';
import type { Work } from './works.ts';

const FIRST_ANSWER_MS = 15_000;
const ONE_TRY_MS = 2_000;

interface Answer {
  readonly status: number | undefined;
  readonly bytes: number;
}

/** Listening is not serving: the gateway sends nothing to an origin before it has seen it healthy. */
export async function firstAnswer(
  proxy: RunningProxy,
  work: Work,
  certificate: CertificateFiles,
  signal: AbortSignal,
): Promise<void> {
  const ca = readFileSync(certificate.cert);
  const until = systemClock.monotonic() + FIRST_ANSWER_MS;
  let why = '';
  while (systemClock.monotonic() < until) {
    signal.throwIfAborted();
    try {
      const asked = work.setup.downstream === 'h2' ? askHttp2(proxy.url, ca) : ask(proxy.url, ca);
      const { status, bytes } = await asked;
      if (status === 200 && bytes === work.bodyBytes) return;
      why = `status ${status}, ${bytes} bytes`;
    } catch (error) {
      why = (error as Error).message;
    }
    await systemClock.sleep(50, signal);
  }
  throw new SluiceError('NOT_HEALTHY', `${proxy.child.name} does not serve the origin`, {
    where: proxy.url,
    why,
    logTail: proxy.child.lastLines().slice(-15),
  });
}

function ask(url: string, ca: Buffer): Promise<Answer> {
  return new Promise((done, fail) => {
    const get = url.startsWith('https:') ? https.get : http.get;
    const options = { agent: false as const, timeout: ONE_TRY_MS, ca };
    const request = get(url + REQUEST_PATH, options, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => done({ status: response.statusCode, bytes }));
      response.on('error', fail);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', fail);
  });
}

function askHttp2(url: string, ca: Buffer): Promise<Answer> {
  return new Promise((done, fail) => {
    const session = connectHttp2(url, { ca });
    const finish = (end: () => void): void => {
      session.destroy();
      end();
    };
    session.setTimeout(ONE_TRY_MS, () => finish(() => fail(new Error('no answer in time'))));
    session.on('error', (error) => finish(() => fail(error)));
    const stream = session.request({ ':path': REQUEST_PATH });
    let status: number | undefined;
    let bytes = 0;
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on('end', () => finish(() => done({ status, bytes })));
    stream.on('error', (error) => finish(() => fail(error)));
  });
}
