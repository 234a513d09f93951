import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How often each order was executed, over all instances, dead ones too: they write before they answer. */
export async function readLedger(dir: string): Promise<ReadonlyMap<string, number>> {
  const executed = new Map<string, number>();
  for (const name of await readdir(dir).catch(() => [] as string[])) {
    for (const line of (await readFile(join(dir, name), 'utf8')).split('\n')) {
      const id = idIn(line);
      if (id !== undefined) executed.set(id, (executed.get(id) ?? 0) + 1);
    }
  }
  return executed;
}

/** An instance that got SIGKILL may leave half a line. */
function idIn(line: string): string | undefined {
  return /^\{"id":"([^"]+)"/.exec(line)?.[1];
}

export function executedTwice(ledger: ReadonlyMap<string, number>): number {
  let twice = 0;
  for (const times of ledger.values()) if (times > 1) twice++;
  return twice;
}
