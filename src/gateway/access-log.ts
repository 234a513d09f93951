import type { Clock, LineSink, OpenLines } from '../core/ports.ts';
import type { AccessLogSettings } from '../core/settings.ts';
import {
  type AccessLine,
  combinedLine,
  droppedCombinedLine,
  droppedJsonLine,
  jsonLine,
} from './access-line.ts';
import type { RequestRecord } from './request-record.ts';

/** One line for each request that ended, where the settings want it. */
export class AccessLog {
  readonly #clock: Clock;
  readonly #open: OpenLines | undefined;
  #settings: AccessLogSettings | undefined;
  #sink: LineSink | undefined;
  #line: AccessLine = jsonLine;

  /** Without `open` there is never one, whatever the settings say. */
  constructor(clock: Clock, open: OpenLines | undefined) {
    this.#clock = clock;
    this.#open = open;
  }

  get isOn(): boolean {
    return this.#sink !== undefined;
  }

  /** Rejects when the file cannot be opened; then everything is as before. */
  async tune(settings: AccessLogSettings | undefined): Promise<void> {
    const before = this.#settings;
    if (settings?.file === before?.file && settings?.format === before?.format) {
      this.#sink?.reopen();
      return;
    }
    const dropped = settings?.format === 'combined' ? droppedCombinedLine : droppedJsonLine;
    const left = this.#sink;
    const next =
      settings === undefined
        ? undefined
        : await this.#open?.(settings.file, (count) => dropped(count, this.#clock.now()));
    this.#settings = settings;
    this.#sink = next;
    this.#line = settings?.format === 'combined' ? combinedLine : jsonLine;
    void left?.close();
  }

  write(record: RequestRecord): void {
    this.#sink?.write(this.#line(record, this.#clock.now()));
  }

  /** The file has been moved away: from now on there is a new one under its name. */
  reopen(): void {
    this.#sink?.reopen();
  }

  /** Once what was written is with the system, or cannot be. */
  async close(): Promise<void> {
    await this.#sink?.close();
    this.#sink = undefined;
  }
}
