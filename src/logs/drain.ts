import type { DrainCounts } from '../core/log-drain.ts';
import type { LogEntry } from '../core/logs.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { said } from './platform-logs.ts';
import type { Sender } from './sender.ts';

const BATCH = 500;
const SEND_EVERY_MS = 1_000;
const MOST_PENDING = 10_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** For what is left when it ends. */
const LAST_WORDS_MS = 1_000;

export interface Drain {
  counts(): DrainCounts;
  /** Sends what is left, if the other side takes it at once. */
  close(): Promise<void>;
}

interface DrainDeps {
  readonly application: string;
  /** Until the signal. */
  readonly entries: (signal: AbortSignal) => AsyncIterable<LogEntry>;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Sends an application's lines elsewhere, batch after batch, each until it got there. While the other side takes nothing the
 * oldest lines make room for new ones; how many were lost is told in their place.
 */
export function startDrain({ application, entries, sender, clock, logger }: DrainDeps): Drain {
  const ends = new AbortController();
  let pending: LogEntry[] = [];
  let sent = 0;
  let dropped = 0;
  let lost = 0;
  let failures = 0;

  async function collect(): Promise<void> {
    for await (const entry of entries(ends.signal)) {
      pending.push(entry);
      if (pending.length <= MOST_PENDING) continue;
      pending.shift();
      lost += 1;
      dropped += 1;
    }
  }

  /** False: nothing got there. */
  async function sendOne(signal: AbortSignal): Promise<boolean> {
    const lines = pending.slice(0, BATCH);
    const [told, droppedBefore] = [lost, dropped];
    const gap = told === 0 ? [] : [said(application, undefined, missing(told), clock.now())];
    try {
      const { refused } = await sender.send([...gap, ...lines], signal);
      // Meanwhile some of these may have made room for others.
      pending = pending.slice(Math.max(0, lines.length - (dropped - droppedBefore)));
      lost -= told;
      sent += lines.length + gap.length - refused;
      dropped += refused;
      if (refused > 0) logger.warn({ application, refused }, 'the log drain refuses lines');
      if (failures > 0) logger.info({ application }, 'the log drain takes lines again');
      failures = 0;
      return true;
    } catch (error) {
      if (failures === 0 && !signal.aborted)
        logger.warn({ application, error: String(error) }, 'the log drain takes no lines; tried again');
      failures += 1;
      return false;
    }
  }

  async function send(): Promise<void> {
    while (!ends.signal.aborted) {
      const went = pending.length > 0 || lost > 0 ? await sendOne(ends.signal) : true;
      if (went && pending.length >= BATCH) continue;
      const wait = went ? SEND_EVERY_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
      await clock.sleep(wait, ends.signal).catch(() => undefined);
    }
  }

  const collecting = collect().catch((error: unknown) =>
    logger.error({ application, error: String(error) }, 'the logs for a drain cannot be read'),
  );
  const sending = send();
  return {
    counts: () => ({ application, sent, dropped, pending: pending.length, up: failures === 0 }),
    async close() {
      ends.abort();
      await Promise.all([collecting, sending]);
      const last = new AbortController();
      const dispose = clock.after(LAST_WORDS_MS, () => last.abort());
      while (pending.length > 0 && failures === 0 && !last.signal.aborted) await sendOne(last.signal);
      dispose();
      await sender.close();
    },
  };
}

function missing(count: number): string {
  return `${count} lines are missing here: they could not be sent`;
}
