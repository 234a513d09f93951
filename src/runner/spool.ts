import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/ports.ts';
import { lineSplitter } from './line-splitter.ts';
import type { OnOutput } from './supervised-process.ts';

const LOOK_EVERY_MS = 100;
const CHUNK_BYTES = 65_536;
/** Beyond this a file is emptied once it has been read: processes write to it for years. */
const LARGEST_BYTES = 4 * 1_048_576;

/**
 * Where processes write whose owner may go away: a pipe would kill them with it, a file does not. One file each for
 * stdout and stderr; whoever owns the process reads them as they grow.
 */
interface Spool {
  /** Descriptors to hand to a child; call `release` after the spawn. */
  open(id: string): { readonly out: number; readonly err: number; release(): void };
  /** Reads what is written from now on; with `fromStart` also the last part of what stands there already. */
  follow(id: string, onOutput: OnOutput, fromStart: boolean): SpoolReader;
  remove(id: string): void;
}

interface SpoolReader {
  /** Reads what came since the last look and stops. */
  close(): void;
}

export function createSpool(dir: string, clock: Clock): Spool {
  function pathOf(id: string, stream: 'out' | 'err'): string {
    // Ids hold slashes; what a name cannot hold is escaped so that no two ids share a file.
    return join(dir, `${encodeURIComponent(id)}.${stream}`);
  }

  return {
    open(id) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // Appending descriptors: after a truncation the next write goes to the new end, not to the old place.
      const out = openSync(pathOf(id, 'out'), 'a', 0o600);
      const err = openSync(pathOf(id, 'err'), 'a', 0o600);
      return {
        out,
        err,
        release() {
          closeSync(out);
          closeSync(err);
        },
      };
    },
    follow(id, onOutput, fromStart) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const tails = (['out', 'err'] as const).map((stream) =>
        tail(pathOf(id, stream), fromStart, (text) => onOutput(stream, text)),
      );
      const dispose = clock.every(LOOK_EVERY_MS, () => {
        for (const one of tails) one.look();
      });
      let closed = false;
      return {
        close() {
          if (closed) return;
          closed = true;
          dispose();
          for (const one of tails) one.close();
        },
      };
    },
    remove(id) {
      for (const stream of ['out', 'err'] as const) rmSync(pathOf(id, stream), { force: true });
    },
  };
}

function tail(path: string, fromStart: boolean, onLine: (text: string) => void) {
  const file = openSync(path, 'a+', 0o600);
  const lines = lineSplitter();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const size = fstatSync(file).size;
  let offset = fromStart ? Math.max(0, size - CHUNK_BYTES) : size;

  function look(): void {
    for (;;) {
      const read = readSync(file, chunk, 0, CHUNK_BYTES, offset);
      if (read === 0) break;
      offset += read;
      for (const line of lines.feed(chunk.subarray(0, read))) onLine(line);
    }
    if (offset < LARGEST_BYTES) return;
    // What is written between the last read and this line is lost; nothing portable empties only what was read.
    ftruncateSync(file, 0);
    offset = 0;
  }

  return {
    look,
    close() {
      look();
      for (const line of lines.end()) onLine(line);
      closeSync(file);
    },
  };
}
