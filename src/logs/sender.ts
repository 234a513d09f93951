import type { DrainPlace, LogDrainSettings } from '../core/log-drain.ts';
import type { LogEntry } from '../core/logs.ts';
import { otlpSender } from './otlp-sender.ts';
import { syslogSender } from './syslog-sender.ts';

/** The far end of a drain. */
export interface Sender {
  /** Rejects when they did not get there and may later; resolves with how many were refused for good. */
  send(entries: readonly LogEntry[], signal: AbortSignal): Promise<{ readonly refused: number }>;
  close(): Promise<void>;
}

export function createSender(place: DrainPlace, settings: Pick<LogDrainSettings, 'headers' | 'ca'>): Sender {
  return place.kind === 'syslog' ? syslogSender(place, settings) : otlpSender(place, settings);
}
