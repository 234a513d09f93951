import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What may wait for a slow disk before lines are dropped, in characters. */
const LONGEST_QUEUE = 1_048_576;

export interface RotatingFile {
  write(line: string): void;
  /** Resolves when everything written so far is on its way to the disk. */
  close(): Promise<void>;
}

/** Appends lines; beyond `maxBytes` the file becomes `<path>.1`, the one before that `<path>.2` and so on. */
export function rotatingFile(path: string, maxBytes = 5 * 1_048_576, keep = 2): RotatingFile {
  let queue = '';
  let dropped = 0;
  let size: number | undefined;
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (queue !== '') {
      const batch = dropped === 0 ? queue : `${queue}… ${dropped} lines dropped: the disk was too slow\n`;
      queue = '';
      dropped = 0;
      try {
        await append(batch);
      } catch {
        // A full disk must not take the application down; its lines are still in the ring.
      }
    }
    writing = undefined;
  }

  async function append(batch: string): Promise<void> {
    if (size === undefined) {
      await mkdir(dirname(path), { recursive: true });
      size = await stat(path).then(
        (found) => found.size,
        () => 0,
      );
    }
    if (size > 0 && size + batch.length > maxBytes) {
      for (let index = keep - 1; index >= 1; index--) {
        await rename(`${path}.${index}`, `${path}.${index + 1}`).catch(() => undefined);
      }
      await rename(path, `${path}.1`);
      size = 0;
    }
    await appendFile(path, batch, { mode: 0o600 });
    size += Buffer.byteLength(batch);
  }

  return {
    write(line) {
      if (queue.length > LONGEST_QUEUE) dropped += 1;
      else queue += `${line}\n`;
      writing ??= drain();
    },
    async close() {
      await writing;
    },
  };
}
