import { readFile } from 'node:fs/promises';
import type { Clock, Dispose } from '../core/ports.ts';

const EVERY_MS = 500;

/**
 * Says when the content of one of some files is another than was read. It looks at contents by their paths instead of
 * asking the system for events: so it does not matter whether an editor writes, renames over, or swaps a symbolic link
 * three folders up as Kubernetes does, nor on which file system.
 */
export interface FileWatch {
  /** These from now on; undefined: it could not be read. */
  watch(files: ReadonlyMap<string, string | undefined>): void;
  close(): void;
}

/** `changed` is called once for each change, when two looks in a row saw the same: nobody is still writing. */
export function createFileWatch(
  clock: Clock,
  changed: () => void,
  read: (path: string) => Promise<string | undefined> = contentOf,
): FileWatch {
  let known: ReadonlyMap<string, string | undefined> = new Map();
  let seen: ReadonlyMap<string, string | undefined> = known;
  let reported: ReadonlyMap<string, string | undefined> = known;
  let timer: Dispose | undefined;
  let closed = false;

  async function look(): Promise<void> {
    const before = known;
    const now = new Map<string, string | undefined>();
    for (const path of before.keys()) now.set(path, await read(path));
    if (closed) return;
    timer = clock.after(EVERY_MS, () => void look());
    // Something else is watched meanwhile.
    if (before !== known) return;
    const settled = same(now, seen);
    seen = now;
    if (!settled || same(now, known) || same(now, reported)) return;
    reported = now;
    changed();
  }

  return {
    watch(files) {
      known = files;
      seen = files;
      reported = files;
      if (!closed) timer ??= clock.after(EVERY_MS, () => void look());
    },
    close() {
      closed = true;
      timer?.();
    },
  };
}

async function contentOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}

function same(
  a: ReadonlyMap<string, string | undefined>,
  b: ReadonlyMap<string, string | undefined>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [path, content] of a) if (!b.has(path) || b.get(path) !== content) return false;
  return true;
}
