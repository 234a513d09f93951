import { SluiceError, toWire } from '../core/errors.ts';
import type { LogEntry, LogsWish } from '../core/logs.ts';
import type { Clock } from '../core/ports.ts';
import type { LogLine, LogsPage, LogsQuery, PlatformProvider, ProviderContext } from '../core/provider.ts';
import { formatDuration } from '../core/units.ts';

const LOOK_EVERY_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;
const LINES_A_LOOK = 1_000;

/** A provider that shows what applications print. */
export type LogProvider = PlatformProvider & Required<Pick<PlatformProvider, 'logs'>>;

export function showsLogs(provider: PlatformProvider | undefined): provider is LogProvider {
  return provider?.logs !== undefined;
}

export interface PlatformLogs {
  readonly clock: Clock;
  readonly provider: LogProvider;
  readonly wish: LogsWish;
  readonly signal: AbortSignal;
  readonly take: (entries: readonly LogEntry[]) => void;
}

/** The newest lines, once. A platform that cannot be read says so in their place. */
export async function readOnce({ clock, provider, wish, signal, take }: PlatformLogs): Promise<void> {
  const { platform } = provider;
  const { application, since } = wish;
  try {
    const page = await provider.logs(contextOf(clock, signal), application, firstPart(wish, since));
    take(entriesOf(page.lines, wish, platform).slice(-wish.lines));
  } catch (caught) {
    if (signal.aborted) return;
    take([unread(application, platform, SluiceError.from(caught), clock.now())]);
  }
}

/**
 * One platform's lines as they are printed, until the signal. It goes on from where it was after a failure, which is
 * said once and not for each try.
 */
export async function followPlatform(of: PlatformLogs): Promise<void> {
  const { clock, provider, wish, signal, take } = of;
  const { application } = wish;
  const { platform } = provider;
  const began = clock.now();
  let after: string | undefined;
  let silentSince: number | undefined;
  let failures = 0;

  function look(): Promise<LogsPage> {
    const context = contextOf(clock, signal);
    if (after !== undefined) return provider.logs(context, application, { lines: LINES_A_LOOK, after });
    // What was asked for while it was away must not be forgotten when it is back.
    const since = wish.since ?? (failures > 0 ? began : undefined);
    return provider.logs(context, application, firstPart(wish, since));
  }

  while (!signal.aborted) {
    try {
      const page = await look();
      if (silentSince !== undefined) {
        const away = formatDuration(Math.max(1_000, clock.now() - silentSince));
        take([said(application, platform, `can be read again, after ${away}`, clock.now())]);
      }
      silentSince = undefined;
      failures = 0;
      if (page.missed)
        take([
          said(application, platform, 'lines are missing here: the platform had forgotten them', clock.now()),
        ]);
      const entries = entriesOf(page.lines, wish, platform);
      take(after === undefined ? entries.slice(-wish.lines) : entries);
      after = page.cursor;
      if (page.more) continue;
    } catch (caught) {
      if (signal.aborted) return;
      failures += 1;
      if (silentSince === undefined) {
        silentSince = clock.now();
        take([unread(application, platform, SluiceError.from(caught), silentSince)]);
      }
    }
    const wait =
      failures === 0 ? LOOK_EVERY_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
    await clock.sleep(wait, signal).catch(() => undefined);
  }
}

export function said(application: string, platform: string | undefined, text: string, at: number): LogEntry {
  return { at, application, ...(platform === undefined ? {} : { platform }), source: 'sluice', text };
}

function unread(application: string, platform: string, error: SluiceError, at: number): LogEntry {
  const why = error.details.why === undefined ? '' : `: ${error.details.why}`;
  return {
    ...said(application, platform, `cannot be read: ${error.message}${why}`, at),
    error: toWire(error),
  };
}

function entriesOf(lines: readonly LogLine[], wish: LogsWish, platform: string): readonly LogEntry[] {
  const { application, sources } = wish;
  return lines
    .filter(({ source }) => sources === undefined || sources.includes(source))
    .map((line) => ({ ...line, application, platform }));
}

/** Who wants some sources only must look further back for as many lines of them. */
function firstPart({ lines, sources }: LogsWish, since: number | undefined): LogsQuery {
  return {
    lines: sources === undefined ? lines : Math.max(lines, LINES_A_LOOK),
    ...(since === undefined ? {} : { since }),
  };
}

function contextOf(clock: Clock, signal: AbortSignal): ProviderContext {
  return { signal, now: () => clock.now(), log() {} };
}
