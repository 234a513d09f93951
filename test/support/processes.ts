import { readdir, readFile } from 'node:fs/promises';
import { systemClock } from '../../src/lib/clock.ts';

/** Waits for something that comes about in another process. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  withinMs = 10_000,
): Promise<void> {
  const deadline = systemClock.now() + withinMs;
  while (!(await holds())) {
    if (systemClock.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await systemClock.sleep(20);
  }
}

export interface Child {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The processes that this one started, with the environment they were given. Linux only. */
export async function childrenOf(pid: number): Promise<readonly Child[]> {
  const children: Child[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The command name may hold blanks and parentheses: the fields begin behind its last one.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(parent) !== pid) continue;
    const text = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const pairs = text.split('\0').filter((pair) => pair.includes('='));
    const env = Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
    children.push({ pid: Number(name), env });
  }
  return children;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
