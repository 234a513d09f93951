import { resolve } from 'node:path';
import type { ZodType } from 'zod';
import { platformError, SluiceError } from '../../src/core/errors.ts';
import type { Random } from '../../src/core/ports.ts';
import type { BundleFile } from '../../src/core/release.ts';
import { type ApiAnswer, type ApiCall, createApiClient } from '../../src/lib/api-client.ts';
import type { Options } from './config.ts';
import {
  applicationSchema,
  errorSchema,
  type HostApplication,
  type HostInfo,
  infoSchema,
  logsSchema,
  offerSchema,
  scaledSchema,
} from './wire.ts';

/** Unpacking a large release and comparing every file takes its time. */
const UPLOAD_TIMEOUT_MS = 5 * 60_000;
/** It is this machine: the budget is there for loops gone wild only. */
const CALLS_PER_SECOND = 500;

export interface RunWish {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly healthPath?: string;
  readonly startTimeoutMs: number;
  readonly stopGraceMs: number;
}

/** The verbs of the host daemon. */
export interface HostClient {
  info(signal: AbortSignal): Promise<HostInfo>;
  application(name: string, signal: AbortSignal): Promise<HostApplication>;
  /** True when the content must be sent. */
  offer(
    application: string,
    release: string,
    manifest: { digest: string; files: readonly BundleFile[] },
    signal: AbortSignal,
  ): Promise<boolean>;
  send(application: string, release: string, archive: Buffer, signal: AbortSignal): Promise<void>;
  run(
    application: string,
    release: string,
    run: RunWish,
    instances: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Returns the release that was scaled. */
  scale(application: string, instances: number, signal: AbortSignal): Promise<string>;
  retire(application: string, release: string, signal: AbortSignal): Promise<void>;
  destroy(application: string, signal: AbortSignal): Promise<void>;
  logs(
    application: string,
    lines: number,
    signal: AbortSignal,
  ): Promise<readonly { instance: string; at: number; text: string }[]>;
  close(): Promise<void>;
}

export function createClient(deps: { platform: string; options: Options; random: Random }): HostClient {
  const { platform } = deps;
  const socket = resolve(deps.options.socket);
  const api = createApiClient({
    platform,
    baseUrl: 'http://localhost',
    socketPath: socket,
    random: deps.random,
    ratePerSecond: CALLS_PER_SECOND,
    maxAttempts: 2,
    headers: async () => ({}),
    errorOf: (answer) => errorOf(platform, answer),
  });

  async function call(given: ApiCall): Promise<ApiAnswer> {
    try {
      return await api.call(given);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.class !== 'unavailable') throw error;
      throw unreachable(platform, socket, error);
    }
  }

  async function ask<T>(schema: ZodType<T>, given: ApiCall): Promise<T> {
    const answer = await call(given);
    const parsed = schema.safeParse(answer.json);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw platformError('unsupported', platform, `what listens on ${socket} does not answer as sluice host`, {
      why: `${given.path}: ${issue?.path.join('.') || 'the answer'}: ${issue?.message ?? 'not understood'}`,
      remedy: 'use the same version of Sluice on both sides: stop `sluice host` and start it anew',
    });
  }

  function pathOf(application: string, release?: string): string {
    const base = `/v1/applications/${encodeURIComponent(application)}`;
    return release === undefined ? base : `${base}/releases/${encodeURIComponent(release)}`;
  }

  return {
    info: (signal) => ask(infoSchema, { method: 'GET', path: '/v1/info', signal }),
    application: (name, signal) => ask(applicationSchema, { method: 'GET', path: pathOf(name), signal }),
    async offer(application, release, { digest, files }, signal) {
      const path = `${pathOf(application, release)}/manifest`;
      const json = { digest, files: files.map(({ path, mode, sha256 }) => ({ path, mode, sha256 })) };
      return (await ask(offerSchema, { method: 'PUT', path, json, signal })).wanted;
    },
    async send(application, release, archive, signal) {
      await call({
        method: 'PUT',
        path: `${pathOf(application, release)}/content`,
        body: archive,
        contentType: 'application/gzip',
        timeoutMs: UPLOAD_TIMEOUT_MS,
        signal,
      });
    },
    async run(application, release, run, instances, signal) {
      const path = `${pathOf(application, release)}/instances`;
      await call({ method: 'PUT', path, json: { run, instances }, signal });
    },
    async scale(application, instances, signal) {
      const path = `${pathOf(application)}/instances`;
      return (await ask(scaledSchema, { method: 'PUT', path, json: { instances }, signal })).release;
    },
    async retire(application, release, signal) {
      await call({ method: 'DELETE', path: pathOf(application, release), signal });
    },
    async destroy(application, signal) {
      await call({ method: 'DELETE', path: pathOf(application), signal });
    },
    async logs(application, lines, signal) {
      const answer = await ask(logsSchema, {
        method: 'GET',
        path: `${pathOf(application)}/logs`,
        query: { lines },
        signal,
      });
      return answer.lines;
    },
    close: () => api.close(),
  };
}

/** The daemon speaks our errors already; only the place is the platform's. */
function errorOf(platform: string, answer: ApiAnswer): SluiceError {
  const parsed = errorSchema.safeParse(answer.json);
  if (!parsed.success) {
    return platformError('unsupported', platform, 'what listens on the socket is not sluice host', {
      why: `it answered ${answer.status}`,
      remedy: 'check `socket` of the platform',
    });
  }
  const { error } = parsed.data;
  return platformError(error.class ?? 'bug', platform, error.message, {
    ...(error.why === undefined ? {} : { why: error.why }),
    remedy: error.remedy ?? 'look at the log of `sluice host`',
  });
}

function unreachable(platform: string, socket: string, cause: SluiceError): SluiceError {
  return platformError('unavailable', platform, 'the host daemon does not answer', {
    why: `${socket}: ${cause.details.why ?? cause.message}`,
    remedy: `start it: sluice host --socket ${socket}`,
    cause,
  });
}
