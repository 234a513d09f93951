import { SluiceError } from '../../src/core/errors.ts';
import type { LogLine, LogsPage, LogsQuery, ProviderContext } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { findWithTrials, refuseForeign } from './find.ts';
import { currentDroplet, releaseOf, trialOf } from './translate.ts';
import { type App, dropletSchema, logEnvelopesSchema } from './wire.ts';

const TAIL_LINES = 30;
const MOST_LINES = 1000;
/** The platform's clock and ours may differ. */
const CLOCK_SKEW_MS = 5_000;

interface PlatformLine extends LogLine {
  /** Nanoseconds since 1970, exact, as text. */
  readonly stamp: string;
  /** The guid of the process that printed it, where the platform tells. */
  readonly process: string | undefined;
  /** `RTR`, `STG`, `APP/PROC/WEB/0`, `APP/TASK/migrate`. */
  readonly sourceType: string;
}

/** Lines reach log-cache from many machines, and not in their order: the newest are left to the next look. */
const SETTLE_NS = 1_000_000_000n;

/** Of application, staging and router alike. The cursor is a stamp. */
export async function logs(
  session: Session,
  context: ProviderContext,
  application: string,
  { lines: most, since, after }: LogsQuery,
): Promise<LogsPage> {
  const { app, trials } = await findWithTrials(session, application);
  if (app) refuseForeign(session.platform, app);
  const first = since === undefined ? undefined : `${Math.trunc(since)}000000`;
  if (!app) return { lines: [], cursor: after ?? first ?? '0' };
  const settled = BigInt(Math.trunc(context.now())) * 1_000_000n - SETTLE_NS;
  const limit = Math.min(most, MOST_LINES);
  const how = after === undefined ? { from: first } : { from: after, ascending: true };
  // What is tried beside is an application of its own, and its lines are of its release.
  const parts = await Promise.all(
    [app, ...trials].map(async (one) => {
      const own = await readLogs(session, one.guid, limit, how);
      // An end that we ask for would be answered by the platform's clock, which may be another.
      const found = after === undefined ? own : own.filter(({ stamp }) => BigInt(stamp) <= settled);
      const release = found.length === 0 ? undefined : (trialOf(one) ?? (await currentRelease(session, one)));
      return { isFull: own.length === limit, found, release };
    }),
  );
  const all = parts
    .flatMap(({ found, release }) => found.map((line) => ({ line, release })))
    .sort((a, b) => Number(BigInt(a.line.stamp) - BigInt(b.line.stamp)));
  // Of one that had more to tell nothing is known past its last line: the others wait there for it.
  const page = after === undefined ? all.slice(-limit) : all.slice(0, limit);
  const last = page.at(-1)?.line.stamp;
  return {
    lines: page.map(({ line: { process: _, stamp: __, sourceType: ___, ...line }, release }) =>
      release ? { ...line, release } : line,
    ),
    cursor: last === undefined ? (after ?? first ?? String(settled)) : String(BigInt(last) + 1n),
    ...(after !== undefined && (parts.some(({ isFull }) => isFull) || all.length > limit)
      ? { more: true }
      : {}),
  };
}

/** The platform tells an instance by its index only: while a deployment is under way both releases have one of each. */
async function currentRelease(session: Session, app: App): Promise<string | undefined> {
  const guid = currentDroplet(app);
  if (guid === undefined) return undefined;
  const droplet = await session.find(`/v3/droplets/${guid}`, dropletSchema);
  return droplet && releaseOf(droplet);
}

/**
 * What the application, its staging and its router printed, oldest first: the newest after a stamp (inclusive), or with
 * `ascending` the oldest. Empty where there is no log-cache.
 */
async function readLogs(
  session: Session,
  appGuid: string,
  lines: number,
  { from, ascending }: { readonly from?: string | undefined; readonly ascending?: boolean } = {},
): Promise<readonly PlatformLine[]> {
  const answer = await session.logCache(`/api/v1/read/${appGuid}`, logEnvelopesSchema, {
    envelope_types: 'LOG',
    descending: ascending ? undefined : 'true',
    limit: Math.min(lines, MOST_LINES),
    ...(from === undefined ? {} : { start_time: from }),
  });
  const found: PlatformLine[] = [];
  for (const envelope of answer?.envelopes.batch ?? []) {
    if (!envelope.log) continue;
    const tags = envelope.tags ?? {};
    const instance = tags['instance_id'] ?? envelope.instance_id;
    found.push({
      stamp: String(envelope.timestamp),
      at: milliseconds(envelope.timestamp),
      source: sourceOf(tags['source_type'] ?? ''),
      text: Buffer.from(envelope.log.payload, 'base64').toString().trimEnd(),
      ...(instance ? { instance } : {}),
      process: tags['process_id'] ?? undefined,
      sourceType: tags['source_type'] ?? '',
    });
  }
  // A stable sort keeps the order of lines of one moment.
  return (ascending ? found : found.reverse()).sort((a, b) => a.at - b.at);
}

/** The last words about a failure. Logs are a help, not a must: none are had where they cannot be read. */
export async function logTail(
  session: Session,
  appGuid: string,
  which: {
    readonly source: 'build' | 'app';
    /** Epoch milliseconds. */
    readonly since: number;
    readonly process?: string | undefined;
    readonly task?: string;
  },
): Promise<readonly string[]> {
  try {
    const recent = (await readLogs(session, appGuid, MOST_LINES)).filter(
      (line) => line.at >= which.since - CLOCK_SKEW_MS,
    );
    if (which.task !== undefined) {
      const ofTask = recent.filter((line) => isOfTask(line, which.task));
      return ofTask.slice(-TAIL_LINES).map((line) => line.text);
    }
    const bySource = recent.filter((line) => line.source === which.source);
    const byProcess = bySource.filter(
      (line) => which.process === undefined || line.process === which.process,
    );
    const best = [byProcess, bySource, recent].find((lines) => lines.length > 0) ?? [];
    return best.slice(-TAIL_LINES).map((line) => line.text);
  } catch {
    return [];
  }
}

/**
 * Hands what the build printed since the last look to whoever waits, and returns the stamp to go on from. The stamp
 * travels in the handle, so another process neither repeats nor misses a line.
 */
export function relayBuildLog(
  session: Session,
  log: (line: LogLine) => void,
  appGuid: string,
  from: string,
): Promise<string> {
  return relay(session, log, appGuid, from, ({ source }) => source === 'build');
}

/** The same for one task. */
export function relayTaskLog(
  session: Session,
  log: (line: LogLine) => void,
  appGuid: string,
  { taskName, from }: { readonly taskName: string; readonly from: string },
): Promise<string> {
  return relay(session, log, appGuid, from, (line) => isOfTask(line, taskName));
}

function isOfTask({ sourceType }: PlatformLine, name: string | undefined): boolean {
  return sourceType === `APP/TASK/${name}`;
}

async function relay(
  session: Session,
  log: (line: LogLine) => void,
  appGuid: string,
  from: string,
  isWanted: (line: PlatformLine) => boolean,
): Promise<string> {
  try {
    let next = from;
    for (const line of await readLogs(session, appGuid, MOST_LINES, { from })) {
      if (!isWanted(line)) continue;
      log({ at: line.at, source: line.source, text: line.text });
      next = String(BigInt(line.stamp) + 1n);
    }
    return next;
  } catch (error) {
    if (error instanceof SluiceError) return from;
    throw error;
  }
}

/** The stamp of a time as the API writes it: `2026-11-20T20:36:38Z`. */
export function stampOf(iso: string | undefined): string {
  const ms = iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(ms) ? '0' : `${ms}000000`;
}

function sourceOf(sourceType: string): LogLine['source'] {
  if (sourceType.startsWith('APP')) return 'app';
  if (sourceType === 'STG') return 'build';
  return sourceType === 'RTR' ? 'router' : 'platform';
}

function milliseconds(nanoseconds: string | number): number {
  return Math.floor(Number(nanoseconds) / 1e6);
}
