import { SluiceError } from '../core/errors.ts';
import type { ReleaseId } from '../core/ids.ts';
import type { LogEntry, Logs, LogsWish } from '../core/logs.ts';
import type { Clock } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import { createLineMerge } from './line-merge.ts';
import { followPlatform, type LogProvider, readOnce, said, showsLogs } from './platform-logs.ts';

const GIVE_OUT_EVERY_MS = 250;

export interface LogsDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly providers: ReadonlyMap<string, PlatformProvider>;
  readonly clock: Clock;
  /** Nothing that an application prints may carry a secret of ours further. */
  readonly redact: (text: string) => string;
  readonly numberOf: (application: string, release: ReleaseId) => number | undefined;
}

/** What an application prints, on all its platforms, in the order of time. */
export function createLogs(deps: LogsDeps): Logs {
  const { clock } = deps;

  function shown(entry: LogEntry): LogEntry {
    const { application, release } = entry;
    const number = release === undefined ? undefined : deps.numberOf(application, release);
    return { ...entry, text: deps.redact(entry.text), ...(number === undefined ? {} : { number }) };
  }

  return {
    logs: (wish, signal) => read(readable(deps, wish), wish, signal),
  };

  async function* read(
    providers: readonly LogProvider[],
    wish: LogsWish,
    signal: AbortSignal,
  ): AsyncGenerator<LogEntry, void, undefined> {
    const reading = new AbortController();
    const ends = AbortSignal.any([signal, reading.signal]);
    const merge = createLineMerge();
    const each = (provider: LogProvider) => ({
      ...{ clock, provider, wish, signal: ends },
      take: (entries: readonly LogEntry[]) => merge.add(entries, clock.now()),
    });
    if (!wish.follow) {
      await Promise.all(providers.map((provider) => readOnce(each(provider))));
      const all = merge.rest();
      const newest = new Set(all.filter(({ source }) => source !== 'sluice').slice(-wish.lines));
      for (const entry of all) if (entry.source === 'sluice' || newest.has(entry)) yield shown(entry);
      return;
    }
    const followed = Promise.all(providers.map((provider) => followPlatform(each(provider))));
    try {
      while (!signal.aborted) {
        for (const entry of merge.take(clock.now())) yield shown(entry);
        const lost = merge.takeLost();
        if (lost > 0)
          yield said(
            wish.application,
            undefined,
            `${lost} lines are missing here: they came faster than they were read`,
            clock.now(),
          );
        await clock.sleep(GIVE_OUT_EVERY_MS, signal).catch(() => undefined);
      }
    } finally {
      reading.abort();
      await followed;
    }
  }
}

function readable({ settings, providers }: LogsDeps, wish: LogsWish): readonly LogProvider[] {
  const application = settings.applications[wish.application];
  if (application === undefined) {
    throw new SluiceError('USAGE', `there is no application "${wish.application}"`, {
      remedy: `name one of: ${Object.keys(settings.applications).join(', ')}`,
    });
  }
  const all = application.targets.map(({ platform }) => platform);
  const unknown = wish.platforms?.find((platform) => !all.includes(platform));
  if (unknown !== undefined) {
    throw new SluiceError('USAGE', `${application.name} does not run on "${unknown}"`, {
      remedy: `name one of: ${all.join(', ')}`,
    });
  }
  const found = (wish.platforms ?? all).map((platform) => providers.get(platform)).filter(showsLogs);
  if (found.length > 0) return found;
  throw new SluiceError('PLATFORM_UNSUPPORTED', `no platform of ${application.name} shows what it prints`, {
    remedy: 'static origins cannot be asked for logs: look where they run',
  });
}
