import { request } from 'undici';
import type { Acts, Control, Drills } from '../../src/core/control.ts';
import type { Logs } from '../../src/core/logs.ts';
import type { WorkerCounters } from '../../src/core/messages.ts';
import type { Operations } from '../../src/core/operations.ts';
import { EMPTY_TABLE } from '../../src/core/routing-table.ts';
import type { AdminSettings } from '../../src/core/settings.ts';
import type { StatusView } from '../../src/core/status.ts';
import { createEventLog } from '../../src/events/log.ts';
import { createRedactor } from '../../src/lib/redact.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { type AdminApiDeps, createAdminApi } from '../../src/observe/admin-api.ts';

export const STATUS: StatusView = {
  at: 1,
  version: '0.0.0',
  tableVersion: 3,
  workers: { wanted: 2, ready: 1 },
  applications: [],
  recent: [],
};

export const COUNTERS: WorkerCounters = {
  requests: { '1xx': 0, '2xx': 40, '3xx': 0, '4xx': 1, '5xx': 2, aborted: 3 },
  replays: 4,
  replaysBy: { stale: 1, connect: 3 },
  evacuations: 5,
  refusedByBudget: 6,
  active: 7,
  upgrades: 8,
  flags: { UF: 2, DC: 0 },
  targets: [
    {
      application: 'shop',
      platform: 'cf-eu',
      classes: [0, 0, 40, 0, 1, 2],
      // Ten within 1 ms, thirty within 25 ms, three beyond the last bound.
      buckets: [10, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3],
      sumMs: 90_250,
      inFlight: 5,
    },
    {
      application: 'shop',
      platform: '',
      classes: [3, 0, 0, 0, 0, 0],
      buckets: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      sumMs: 0.5,
      inFlight: 0,
    },
  ],
  queue: { waiting: 9, refused: 10, timeouts: 11 },
  names: { failures: 12, failing: 13 },
  connections: { open: 12, accepted: 13, refused: 14, handshakes: 15 },
};

/** Planted in everything the admin API may be given. */
export const CANARY = 'canary-S3cret';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: unknown;
}

export interface TestAdmin {
  readonly url: string;
  readonly events: ReturnType<typeof createEventLog>;
  ask(
    path: string,
    options?: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: Buffer | string },
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** The admin API on a free port, with control and views of the test's choice. */
export async function testAdmin(
  given: Partial<Omit<AdminApiDeps, 'settings' | 'control' | 'acts' | 'operations' | 'drills' | 'logs'>> & {
    readonly tokens?: AdminSettings['tokens'];
    readonly control?: Partial<Control>;
    readonly acts?: Partial<Acts>;
    readonly drills?: Partial<Drills>;
    readonly logs?: Logs;
    readonly operations?: Partial<Operations>;
  } = {},
): Promise<TestAdmin> {
  const { tokens = {}, control, acts, operations, drills, logs, ...rest } = given;
  const redactor = createRedactor([CANARY]);
  const events = createEventLog({
    clock: virtualClock(1_000),
    redact: (event) => redactor.value(event) as typeof event,
  });
  const admin = createAdminApi({
    settings: { host: '127.0.0.1', port: 0, tokens },
    status: () => STATUS,
    table: () => EMPTY_TABLE,
    explain: () => undefined,
    counters: () => COUNTERS,
    events,
    // Only what the test asks for is called.
    control: (control ?? {}) as Control,
    acts: (acts ?? {}) as Acts,
    drills: (drills ?? {}) as Drills,
    operations: (operations ?? {}) as Operations,
    logs: logs ?? ({} as Logs),
    redact: (value) => redactor.value(value),
    ready: () => true,
    ...rest,
  });
  await admin.start();
  const url = `http://127.0.0.1:${admin.port}`;
  return {
    url,
    events,
    async ask(path, options = {}) {
      const { method = 'GET', headers = {}, body = null } = options;
      const answer = await request(new URL(path, url), { method, headers, body });
      const text = await answer.body.text();
      return { status: answer.statusCode, headers: answer.headers, text, json: jsonIn(text) };
    },
    close: () => admin.close(),
  };
}

function jsonIn(text: string): unknown {
  return /^[[{]/.test(text) ? JSON.parse(text) : undefined;
}
