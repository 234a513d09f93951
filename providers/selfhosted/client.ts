import { resolve } from 'node:path';
import type { ZodType } from 'zod';
import { hasClass, platformError } from '../../src/core/errors.ts';
import type { ProviderDeps } from '../../src/core/provider.ts';
import type { BundleFile } from '../../src/core/release.ts';
import { type ApiAnswer, type ApiCall, createApiClient } from '../../src/lib/api-client.ts';
import { decodeAnswer } from '../../src/lib/decode-answer.ts';
import type { Options } from './config.ts';
import { errorOf, unreachable } from './errors.ts';
import {
  applicationSchema,
  applicationsSchema,
  type HostApplication,
  type HostHappenings,
  type HostInfo,
  type HostLogs,
  type HostTask,
  happeningsSchema,
  infoSchema,
  logsSchema,
  offerSchema,
  scaledSchema,
  taskSchema,
  volumeSchema,
  volumesSchema,
} from './wire.ts';

/** Unpacking a large release and comparing every file takes its time. */
const UPLOAD_TIMEOUT_MS = 5 * 60_000;
/** It is this machine: the budget is there for loops gone wild only. */
const CALLS_PER_SECOND = 500;

export interface RunWish {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly healthPath?: string;
  readonly listens?: false;
  readonly startTimeoutMs: number;
  readonly stopGraceMs: number;
}

/** The verbs of the host daemon. */
export interface HostClient {
  info(signal: AbortSignal): Promise<HostInfo>;
  application(name: string, signal: AbortSignal): Promise<HostApplication>;
  /** Names of all applications there. */
  applications(signal: AbortSignal): Promise<readonly string[]>;
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
  runTrial(
    application: string,
    release: string,
    run: RunWish,
    instances: number,
    signal: AbortSignal,
  ): Promise<void>;
  endTrial(application: string, release: string, signal: AbortSignal): Promise<void>;
  /** Returns the release that was scaled. */
  scale(application: string, instances: number, signal: AbortSignal): Promise<string>;
  stop(application: string, signal: AbortSignal): Promise<void>;
  /** Returns the release that runs. */
  start(application: string, signal: AbortSignal): Promise<string>;
  /** Unless it has begun after `since`, as the daemon told it. */
  restart(application: string, instance: string, since: number, signal: AbortSignal): Promise<void>;
  retire(application: string, release: string, signal: AbortSignal): Promise<void>;
  destroy(application: string, signal: AbortSignal): Promise<void>;
  /** What became of its instances after this one; undefined: the daemon is from before it told. */
  happenings(application: string, after: number, signal: AbortSignal): Promise<HostHappenings | undefined>;
  /** What came after these marks. */
  logs(application: string, marks: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<HostLogs>;
  startTask(application: string, run: string, task: TaskWish, signal: AbortSignal): Promise<void>;
  /** With what it printed from this byte on; undefined: there is no such run. */
  task(application: string, run: string, from: number, signal: AbortSignal): Promise<HostTask | undefined>;
  stopTask(application: string, run: string, signal: AbortSignal): Promise<void>;
  forgetTask(application: string, run: string, signal: AbortSignal): Promise<void>;
  /** Made where it is not there; the path of its folder. */
  ensureVolume(application: string, name: string, signal: AbortSignal): Promise<string>;
  volumes(application: string, signal: AbortSignal): Promise<readonly HostVolume[]>;
  removeVolume(application: string, name: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface HostVolume {
  readonly name: string;
  readonly path: string;
}

export interface TaskWish {
  readonly release: string;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export function createClient(deps: ProviderDeps<Options>): HostClient {
  const { platform } = deps;
  const socket = resolve(deps.options.socket);
  const api = createApiClient({
    platform,
    baseUrl: 'http://localhost',
    socketPath: socket,
    random: deps.random,
    ratePerSecond: CALLS_PER_SECOND,
    budgets: deps.budgets,
    account: socket,
    maxAttempts: 2,
    headers: async () => ({}),
    errorOf: (answer) => errorOf(platform, answer),
  });

  async function call(given: ApiCall): Promise<ApiAnswer> {
    try {
      return await api.call(given);
    } catch (error) {
      // Only a connection that failed has a cause; otherwise the daemon itself said so.
      if (!hasClass(error, 'unavailable') || error.cause === undefined) throw error;
      throw unreachable(platform, socket, error);
    }
  }

  async function ask<T>(schema: ZodType<T>, given: ApiCall): Promise<T> {
    const answer = await call(given);
    return decodeAnswer(schema, answer.json, (why) =>
      platformError('unsupported', platform, `what listens on ${socket} does not answer as sluice host`, {
        why: `${given.path}: ${why}`,
        remedy: 'use the same version of Sluice on both sides: stop `sluice host` and start it anew',
      }),
    );
  }

  function pathOf(application: string, release?: string): string {
    const base = `/v1/applications/${encodeURIComponent(application)}`;
    return release === undefined ? base : `${base}/releases/${encodeURIComponent(release)}`;
  }

  function taskPath(application: string, run: string): string {
    return `${pathOf(application)}/tasks/${encodeURIComponent(run)}`;
  }

  return {
    info: (signal) => ask(infoSchema, { method: 'GET', path: '/v1/info', signal }),
    application: (name, signal) => ask(applicationSchema, { method: 'GET', path: pathOf(name), signal }),
    async applications(signal) {
      try {
        return (await ask(applicationsSchema, { method: 'GET', path: '/v1/applications', signal }))
          .applications;
      } catch (error) {
        // A daemon from before there were others beside web.
        if (hasClass(error, 'unsupported')) return [];
        throw error;
      }
    },
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
    async runTrial(application, release, run, instances, signal) {
      const path = `${pathOf(application, release)}/trial`;
      await call({ method: 'PUT', path, json: { run, instances }, signal });
    },
    async endTrial(application, release, signal) {
      await call({ method: 'DELETE', path: `${pathOf(application, release)}/trial`, signal });
    },
    async scale(application, instances, signal) {
      const path = `${pathOf(application)}/instances`;
      return (await ask(scaledSchema, { method: 'PUT', path, json: { instances }, signal })).release;
    },
    async stop(application, signal) {
      await call({ method: 'PUT', path: `${pathOf(application)}/stopped`, json: {}, signal });
    },
    async start(application, signal) {
      const path = `${pathOf(application)}/stopped`;
      return (await ask(scaledSchema, { method: 'DELETE', path, signal })).release;
    },
    async restart(application, instance, since, signal) {
      await call({
        method: 'PUT',
        path: `${pathOf(application)}/restart`,
        json: { instance, since },
        signal,
      });
    },
    async retire(application, release, signal) {
      await call({ method: 'DELETE', path: pathOf(application, release), signal });
    },
    async destroy(application, signal) {
      await call({ method: 'DELETE', path: pathOf(application), signal });
    },
    async happenings(application, after, signal) {
      try {
        const path = `${pathOf(application)}/happenings`;
        return await ask(happeningsSchema, { method: 'GET', path, query: { after }, signal });
      } catch (error) {
        if (hasClass(error, 'unsupported')) return undefined;
        throw error;
      }
    },
    logs(application, marks, signal) {
      const path = `${pathOf(application)}/logs`;
      return ask(logsSchema, { method: 'POST', path, json: { marks }, signal, repeatable: true });
    },
    async startTask(application, run, task, signal) {
      await call({ method: 'PUT', path: taskPath(application, run), json: task, signal });
    },
    async task(application, run, from, signal) {
      try {
        const path = taskPath(application, run);
        return await ask(taskSchema, { method: 'GET', path, query: { from }, signal });
      } catch (error) {
        if (hasClass(error, 'notFound')) return undefined;
        throw error;
      }
    },
    async stopTask(application, run, signal) {
      await call({ method: 'POST', path: `${taskPath(application, run)}/stop`, signal, repeatable: true });
    },
    async forgetTask(application, run, signal) {
      await call({ method: 'DELETE', path: taskPath(application, run), signal });
    },
    async ensureVolume(application, name, signal) {
      const path = `${pathOf(application)}/volumes/${encodeURIComponent(name)}`;
      return (await ask(volumeSchema, { method: 'PUT', path, signal, repeatable: true })).path;
    },
    async volumes(application, signal) {
      try {
        const path = `${pathOf(application)}/volumes`;
        return (await ask(volumesSchema, { method: 'GET', path, signal })).volumes;
      } catch (error) {
        // A daemon from before there were any.
        if (hasClass(error, 'unsupported')) return [];
        throw error;
      }
    },
    async removeVolume(application, name, signal) {
      const path = `${pathOf(application)}/volumes/${encodeURIComponent(name)}`;
      await call({ method: 'DELETE', path, signal });
    },
    close: () => api.close(),
  };
}
