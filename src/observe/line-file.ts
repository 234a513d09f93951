import fs from 'node:fs';
import { SluiceError } from '../core/errors.ts';
import type { Clock, Dispose, LineSink, Logger } from '../core/ports.ts';
import { hasCode } from '../lib/has-code.ts';

/** A full batch is written at once, any other one after this time. */
const BATCH_BYTES = 65_536;
const BATCH_MS = 100;
/** What may wait for a slow disk or reader; beyond it lines are dropped and counted. */
const QUEUE_BYTES = 4 * 1_048_576;
/** A pipe takes this much whole or not at all, so that several workers' lines do not run into each other (POSIX PIPE_BUF). */
const PIPE_BYTES = 4_096;
/** A reader that is not ready is asked again. */
const RETRY_MS = 20;
/** How often we look whether somebody has moved the file away. */
const LOOK_MS = 2_000;
/** How long closing waits for a reader that does not read. */
const CLOSE_MS = 1_000;
const STDOUT = 1;

export interface LineFileOptions {
  /** Absolute, or `-` for standard output. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Written, with its line end, before the first line that finds room again. */
  readonly droppedLine: (count: number) => string;
}

interface Batch {
  readonly bytes: Buffer;
  length: number;
  lines: number;
}

/**
 * Appends lines to a file in batches, in the background. Writing never waits and never throws: a line that finds no
 * room is counted, and the count is written in its place. A file that was moved away (logrotate) is opened anew.
 */
export async function openLineFile(options: LineFileOptions): Promise<LineSink> {
  const { file } = options;
  try {
    return new LineFile(options, await openForAppending(file));
  } catch (caught) {
    throw new SluiceError('CONFIG_INVALID', `the log file ${file} cannot be opened`, {
      where: 'gateway.accessLog.file',
      why: caught instanceof Error ? caught.message : String(caught),
      remedy: 'name a file in a folder that exists and that this user may write to',
      cause: caught,
    });
  }
}

interface OpenFile {
  readonly fd: number;
  readonly isPipe: boolean;
  /** Of a regular file: to tell it from another one under the same name. */
  readonly identity: string | undefined;
}

class LineFile implements LineSink {
  readonly #options: LineFileOptions;
  #open: OpenFile;
  /** Taking lines. */
  #batch: Batch = newBatch(BATCH_BYTES);
  /** Full, the oldest first; `#at` bytes of that one are written. */
  readonly #full: Batch[] = [];
  #at = 0;
  #spare: Batch | undefined = undefined;
  #queued = 0;
  #dropped = 0;
  #isBusy = false;
  #isClosed = false;
  #wantsReopen = false;
  #hasFailed = false;
  #lookedAt: number;
  #timer: Dispose | undefined = undefined;
  #onIdle: (() => void) | undefined = undefined;

  constructor(options: LineFileOptions, open: OpenFile) {
    this.#options = options;
    this.#open = open;
    this.#lookedAt = options.clock.monotonic();
  }

  /** ASCII, with its end. */
  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#queued + line.length > QUEUE_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      this.#append(this.#options.droppedLine(count));
    }
    this.#append(line);
    this.#timer ??= this.#options.clock.after(BATCH_MS, () => {
      this.#timer = undefined;
      this.#flush();
    });
  }

  #append(line: string): void {
    if (this.#batch.length + line.length > this.#batch.bytes.length) {
      this.#seal(line.length);
      this.#writeNext();
    }
    const batch = this.#batch;
    batch.length += batch.bytes.write(line, batch.length, 'latin1');
    batch.lines += 1;
    this.#queued += line.length;
  }

  #seal(room: number): void {
    if (this.#batch.length > 0) this.#full.push(this.#batch);
    const spare = this.#spare;
    if (spare !== undefined && room <= spare.bytes.length) {
      this.#spare = undefined;
      this.#batch = spare;
    } else this.#batch = newBatch(Math.max(BATCH_BYTES, room));
  }

  #flush(): void {
    if (this.#batch.length > 0 && this.#full.length === 0) this.#seal(0);
    this.#writeNext();
  }

  reopen(): void {
    this.#wantsReopen = true;
    this.#writeNext();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.();
    if (this.#dropped > 0) this.#append(this.#options.droppedLine(this.#dropped));
    this.#seal(0);
    const { clock } = this.#options;
    if (this.#full.length > 0 || this.#isBusy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        clock.after(CLOSE_MS, resolve);
        this.#writeNext();
      });
    }
    this.#full.length = 0;
    if (this.#open.fd !== STDOUT) fs.close(this.#open.fd, () => undefined);
  }

  // ── in the background, one step at a time ────────────────────────────────────────────────────────────────────

  #writeNext(): void {
    if (this.#isBusy) return;
    const now = this.#options.clock.monotonic();
    if (this.#wantsReopen) {
      this.#isBusy = true;
      this.#wantsReopen = false;
      void this.#reopen().then(() => this.#stepDone());
    } else if (this.#full.length > 0 && now - this.#lookedAt >= LOOK_MS) {
      this.#isBusy = true;
      this.#lookedAt = now;
      void this.#look().then(() => this.#stepDone());
    } else if (this.#full.length > 0) {
      this.#isBusy = true;
      this.#writeSome(this.#full[0]!);
    } else this.#onIdle?.();
  }

  #stepDone(): void {
    this.#isBusy = false;
    this.#writeNext();
  }

  #writeSome(batch: Batch): void {
    const { fd, isPipe } = this.#open;
    const end = isPipe ? endOfLines(batch, this.#at) : batch.length;
    fs.write(fd, batch.bytes, this.#at, end - this.#at, null, (error, written) => {
      if (error !== null) this.#failed(error, batch);
      else {
        this.#hasFailed = false;
        this.#at += written;
        if (this.#at >= batch.length) this.#finished(batch);
        this.#stepDone();
      }
    });
  }

  #failed(error: Error, batch: Batch): void {
    const { clock, logger, file } = this.#options;
    if (!hasCode(error, 'EAGAIN')) {
      if (!this.#hasFailed) logger.warn({ file, err: error.message }, 'the access log cannot be written');
      this.#hasFailed = true;
      this.#dropped += batch.lines;
      this.#finished(batch);
    }
    clock.after(RETRY_MS, () => this.#stepDone());
  }

  #finished(batch: Batch): void {
    this.#full.shift();
    this.#at = 0;
    this.#queued -= batch.length;
    if (batch.bytes.length !== BATCH_BYTES) return;
    batch.length = 0;
    batch.lines = 0;
    this.#spare ??= batch;
  }

  /** Somebody has moved the file away, or removed it. */
  async #look(): Promise<void> {
    const { identity } = this.#open;
    if (identity === undefined) return;
    if ((await identityOf(this.#options.file)) !== identity) await this.#reopen();
  }

  async #reopen(): Promise<void> {
    const { file, logger } = this.#options;
    if (this.#open.identity === undefined) return;
    try {
      const before = this.#open.fd;
      this.#open = await openForAppending(file);
      fs.close(before, () => undefined);
    } catch (caught) {
      // The old file is better than none.
      logger.warn({ file, err: String(caught) }, 'the access log cannot be opened anew');
    }
  }
}

function newBatch(bytes: number): Batch {
  return { bytes: Buffer.allocUnsafeSlow(bytes), length: 0, lines: 0 };
}

/** As many whole lines as a pipe takes at once; a line that is longer goes alone. */
function endOfLines({ bytes, length }: Batch, from: number): number {
  if (length - from <= PIPE_BYTES) return length;
  const last = bytes.lastIndexOf(10, from + PIPE_BYTES - 1);
  if (last >= from) return last + 1;
  const first = bytes.indexOf(10, from);
  return first < 0 || first >= length ? length : first + 1;
}

async function openForAppending(file: string): Promise<OpenFile> {
  if (file === '-') return openStdout();
  const handle = await openFd(file, fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT);
  return describe(handle);
}

/**
 * Standard output under a name of its own, so that a reader who is slow makes us wait without stopping the process,
 * and without changing anything for whoever shares it. Where it has no name (a socket) it is used as it is.
 */
async function openStdout(): Promise<OpenFile> {
  try {
    const flags = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_NONBLOCK;
    return { ...(await describe(await openFd('/proc/self/fd/1', flags))), identity: undefined };
  } catch {
    return { ...(await describe(STDOUT)), identity: undefined };
  }
}

function openFd(file: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(file, flags, 0o640, (error, fd) => (error === null ? resolve(fd) : reject(error)));
  });
}

function describe(fd: number): Promise<OpenFile> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, (error, stats) => {
      if (error !== null) reject(error);
      else resolve({ fd, isPipe: stats.isFIFO(), identity: stats.isFile() ? keyOf(stats) : undefined });
    });
  });
}

function identityOf(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    fs.stat(file, (error, stats) => resolve(error === null ? keyOf(stats) : undefined));
  });
}

function keyOf({ dev, ino }: fs.Stats): string {
  return `${dev}:${ino}`;
}
