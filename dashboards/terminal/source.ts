import type { LoggedEvent } from '../../src/core/events.ts';
import type { Explanation, StatusView } from '../../src/core/status.ts';

/** Where the dashboard gets what it shows: a client of the admin API, or a test. */
export interface DashboardSource {
  /** The server's address, without secrets. */
  readonly where: string;
  status(signal: AbortSignal): Promise<StatusView>;
  explain(application: string): Promise<Explanation>;
  /** Calls back for events from now on until the signal is aborted. */
  follow(onEvent: (event: LoggedEvent) => void, signal: AbortSignal): Promise<void>;
}
