import { Agent, request } from 'undici';
import type {
  ActWish,
  Control,
  Destroyed,
  DrillWish,
  KnownLock,
  LiftWish,
  Ordered,
  ReleasesView,
  StartedRun,
  WireWish,
} from '../core/control.ts';
import type { DeploymentRecord, PlatformPlan } from '../core/deployment.ts';
import type { DrillRecord } from '../core/drill.ts';
import { fromWire, SluiceError, type WireError } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { LogEntry, Logs, LogsWish } from '../core/logs.ts';
import type { Operations, Outcomes } from '../core/operations.ts';
import type { Release } from '../core/release.ts';
import type { Explanation, StatusView } from '../core/status.ts';
import type { TaskRecord } from '../core/task-power.ts';
import { systemClock } from '../lib/clock.ts';
import { hasCode } from '../lib/has-code.ts';
import { parseEventStream } from './event-stream.ts';

interface JsonBody {
  readonly json: string;
}

function json(value: unknown): JsonBody {
  return { json: JSON.stringify(value) };
}

/** The command line's client of the admin API. Every failure names the server's address and what to do. */
export interface ServerClient extends Control, Logs, Operations {
  readonly url: string;
  /** Does a server answer there? `silent`: something has the port and does not answer. */
  look(): Promise<'there' | 'absent' | 'silent'>;
  status(signal?: AbortSignal): Promise<StatusView>;
  /** `at` in epoch milliseconds; left out: now. */
  explain(application: string, at?: number): Promise<Explanation>;
  order(wish: Omit<ActWish, 'who'>): Promise<Ordered>;
  lift(wish: Omit<LiftWish, 'who'>): Promise<{ readonly lifted: number; readonly replicas: number }>;
  drill(wish: Omit<DrillWish, 'who'>): Promise<DrillRecord>;
  drills(): Promise<readonly DrillRecord[]>;
  /** The newest 5,000 of them, oldest first. */
  eventsSince(seq: number): Promise<readonly LoggedEvent[]>;
  /**
   * Calls back for each event after `since` until the signal is aborted; comes back by itself when the stream breaks.
   * `onTried` is called after each try to open the stream, well or not; if well, nothing is missed from then on.
   */
  follow(
    since: number | 'now',
    onEvent: (event: LoggedEvent) => void,
    signal: AbortSignal,
    onTried?: () => void,
  ): Promise<void>;
  close(): Promise<void>;
}

export function serverClient(url: string, token: string | undefined): ServerClient {
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new SluiceError('USAGE', `--server "${url}" is no address`, {
      remedy: 'write it like http://127.0.0.1:9901',
    });
  }
  const agent = new Agent({ connect: { timeout: 3_000 }, keepAliveTimeout: 1_000 });
  const auth: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function call(
    method: 'GET' | 'POST',
    path: string,
    body?: Buffer | JsonBody,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const type = body === undefined || Buffer.isBuffer(body) ? 'application/gzip' : 'application/json';
    const answer = await request(new URL(path, url), {
      method,
      dispatcher: agent,
      headers: { ...auth, ...(body ? { 'content-type': type } : {}) },
      body: body === undefined ? null : Buffer.isBuffer(body) ? body : body.json,
      ...(signal ? { signal } : {}),
      // A plan or a destroy reads and changes platforms: minutes, not seconds.
      headersTimeout: 600_000,
      bodyTimeout: 600_000,
    }).catch((error: Error) => {
      throw unreachable(url, error);
    });
    const text = await answer.body.text();
    if (answer.statusCode < 400) return JSON.parse(text);
    throw errorIn(text, answer.statusCode, url);
  }

  function bundlePath(path: string, wish: WireWish): string {
    const query = new URLSearchParams({ application: wish.application, digest: wish.digest });
    if (wish.platforms) query.set('platforms', wish.platforms.join(','));
    if (wish.commit !== undefined) query.set('commit', wish.commit);
    if (wish.configuration !== undefined) query.set('configuration', wish.configuration);
    return `${path}?${query}`;
  }

  async function operation(application: string, verb: string, wish: object): Promise<Outcomes> {
    return (await call(
      'POST',
      `/v1/applications/${encodeURIComponent(application)}/${verb}`,
      json(wish),
    )) as Outcomes;
  }

  return {
    url,
    async look() {
      try {
        const answer = await request(new URL('/livez', url), { dispatcher: agent, headersTimeout: 5_000 });
        await answer.body.dump();
        // Another program's answer: others like this port too.
        return answer.statusCode === 200 ? 'there' : 'absent';
      } catch (error) {
        return hasCode(error, 'ECONNREFUSED') ? 'absent' : 'silent';
      }
    },
    status: async (signal) => (await call('GET', '/v1/status', undefined, signal)) as StatusView,
    explain: async (application, at) =>
      (await call(
        'GET',
        `/v1/explain/${encodeURIComponent(application)}${at === undefined ? '' : `?at=${at}`}`,
      )) as Explanation,
    order: async (wish) => (await call('POST', '/v1/acts', json(wish))) as Ordered,
    lift: async (wish) =>
      (await call('POST', '/v1/acts/lift', json(wish))) as { lifted: number; replicas: number },
    drill: async (wish) => (await call('POST', '/v1/drills', json(wish))) as DrillRecord,
    drills: async () => (await call('GET', '/v1/drills')) as DrillRecord[],
    eventsSince: async (seq) => (await call('GET', `/v1/events?since=${seq}&last=5000`)) as LoggedEvent[],
    deploy: async (wish) =>
      (await call('POST', bundlePath('/v1/deployments', wish), wish.archive)) as {
        id: string;
        release: Release;
      },
    plan: async (wish) => (await call('POST', bundlePath('/v1/plan', wish), wish.archive)) as PlatformPlan[],
    async rollback({ application, ...wish }) {
      const path = `/v1/applications/${encodeURIComponent(application)}/rollback`;
      return (await call('POST', path, json(wish))) as { id: string; release: Release };
    },
    locks: async () => (await call('GET', '/v1/locks')) as KnownLock[],
    async breakLock(application, reason) {
      const path = `/v1/locks/${encodeURIComponent(application)}/break`;
      return ((await call('POST', path, json({ reason }))) as KnownLock | null) ?? undefined;
    },
    resume: async (id) =>
      (await call('POST', `/v1/deployments/${encodeURIComponent(id)}/resume`)) as {
        id: string;
        release: Release;
      },
    async destroy({ application, platforms, services }) {
      const query = new URLSearchParams(services ? { services: 'true' } : {});
      if (platforms) query.set('platforms', platforms.join(','));
      const path = `/v1/applications/${encodeURIComponent(application)}/destroy?${query}`;
      return (await call('POST', path)) as Record<string, Destroyed>;
    },
    scale: ({ application, who: _, ...wish }) => operation(application, 'scale', wish),
    power: ({ application, who: _, ...wish }) => operation(application, 'power', wish),
    releases: async (application) =>
      (await call('GET', `/v1/releases/${encodeURIComponent(application)}`)) as ReleasesView,
    async run({ application, ...wish }) {
      const path = `/v1/applications/${encodeURIComponent(application)}/run`;
      return (await call('POST', path, json(wish))) as StartedRun;
    },
    tasks: async () => (await call('GET', '/v1/tasks')) as TaskRecord[],
    async cancelRun(run) {
      const path = `/v1/tasks/${encodeURIComponent(run)}/cancel`;
      return ((await call('POST', path)) as TaskRecord | null) ?? undefined;
    },
    async settleRun(run, as) {
      const path = `/v1/tasks/${encodeURIComponent(run)}/settle`;
      return ((await call('POST', path, json({ as }))) as TaskRecord | null) ?? undefined;
    },
    deployments: async () => (await call('GET', '/v1/deployments')) as DeploymentRecord[],
    async *logs(wish, signal) {
      let since = wish.since;
      while (!signal.aborted) {
        try {
          const answer = await request(new URL(logsPath({ ...wish, since }), url), {
            dispatcher: agent,
            headers: auth,
            headersTimeout: 60_000,
            bodyTimeout: 0,
            signal,
          });
          if (answer.statusCode >= 400) throw errorIn(await answer.body.text(), answer.statusCode, url);
          for await (const line of linesOf(answer.body)) {
            const entry = JSON.parse(line) as LogEntry;
            // Where to go on when this stream breaks.
            since = Math.max(since ?? 0, entry.at + 1);
            yield entry;
          }
          if (!wish.follow) return;
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof SluiceError) throw error;
          if (!wish.follow || since === undefined) throw unreachable(url, error as Error);
        }
        // The controller may be starting anew.
        await systemClock.sleep(1_000, signal).catch(() => undefined);
      }
    },
    async follow(since, onEvent, signal, onTried) {
      let last: number | 'now' = since;
      while (!signal.aborted) {
        try {
          const answer = await request(new URL(`/v1/events?since=${last}`, url), {
            dispatcher: agent,
            headers: { ...auth, accept: 'text/event-stream' },
            bodyTimeout: 0,
            signal,
          });
          if (answer.statusCode >= 400) throw errorIn(await answer.body.text(), answer.statusCode, url);
          onTried?.();
          for await (const data of parseEventStream(answer.body)) {
            const event = JSON.parse(data) as LoggedEvent;
            last = event.seq;
            onEvent(event);
          }
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof SluiceError) throw error;
          onTried?.();
        }
        // The controller may be starting anew; its events are kept and the numbers go on.
        if (!signal.aborted) await systemClock.sleep(300);
      }
    },
    close: () => agent.destroy(),
  };
}

function logsPath({ application, platforms, sources, since, lines, follow }: LogsWish): string {
  const query = new URLSearchParams({ lines: String(lines), follow: String(follow) });
  if (platforms) query.set('platforms', platforms.join(','));
  if (sources) query.set('sources', sources.join(','));
  if (since !== undefined) query.set('since', String(since));
  return `/v1/logs/${encodeURIComponent(application)}?${query}`;
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let open = '';
  for await (const chunk of body) {
    const parts = (open + decoder.decode(chunk, { stream: true })).split('\n');
    open = parts.pop() ?? '';
    for (const line of parts) if (line !== '') yield line;
  }
}

function errorIn(text: string, status: number, url: string): SluiceError {
  try {
    const { error } = JSON.parse(text) as { error?: WireError };
    if (error?.code) return fromWire(error);
  } catch {
    // Not our server, then.
  }
  return new SluiceError('SERVER_REFUSED', `the server answered ${status}`, {
    where: url,
    why: text.slice(0, 200),
    remedy: 'check that --server is a Sluice admin address',
  });
}

function unreachable(url: string, error: Error): SluiceError {
  return new SluiceError('SERVER_UNREACHABLE', `no Sluice server answers at ${url}`, {
    where: url,
    why: error.message || (error as NodeJS.ErrnoException).code || String(error),
    remedy: 'start one with `sluice serve`, or name another with --server',
  });
}
