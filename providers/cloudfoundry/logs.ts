import type { LogLine } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { logEnvelopes } from './wire.ts';

const TAIL_LINES = 30;
const MOST_LINES = 1000;
/** The platform's clock and ours may differ. */
const CLOCK_SKEW_MS = 5_000;

export interface PlatformLine extends LogLine {
  /** The guid of the process that printed it, where the platform tells. */
  readonly process: string | undefined;
}

/** What the application, its staging and its router printed, oldest first; empty where there is no log-cache. */
export async function readLogs(
  session: Session,
  appGuid: string,
  lines: number,
): Promise<readonly PlatformLine[]> {
  const answer = await session.logCache(`/api/v1/read/${appGuid}`, logEnvelopes, {
    envelope_types: 'LOG',
    descending: 'true',
    limit: Math.min(lines, MOST_LINES),
  });
  const found: PlatformLine[] = [];
  for (const envelope of answer?.envelopes.batch ?? []) {
    if (!envelope.log) continue;
    const tags = envelope.tags ?? {};
    const instance = tags['instance_id'] ?? envelope.instance_id;
    found.push({
      at: milliseconds(envelope.timestamp),
      source: sourceOf(tags['source_type'] ?? ''),
      text: Buffer.from(envelope.log.payload, 'base64').toString().trimEnd(),
      ...(instance ? { instance } : {}),
      process: tags['process_id'] ?? undefined,
    });
  }
  // Newest first was asked for; a stable sort keeps the order of lines of one moment.
  return found.reverse().sort((a, b) => a.at - b.at);
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
  },
): Promise<readonly string[]> {
  try {
    const recent = (await readLogs(session, appGuid, MOST_LINES)).filter(
      (line) => line.at >= which.since - CLOCK_SKEW_MS,
    );
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

function sourceOf(sourceType: string): LogLine['source'] {
  if (sourceType.startsWith('APP')) return 'app';
  return sourceType === 'STG' ? 'build' : 'platform';
}

function milliseconds(nanoseconds: string | number): number {
  return Math.floor(Number(nanoseconds) / 1e6);
}
