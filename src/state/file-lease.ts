import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Clock, KnownLease, Lease, LeaseHolder, LeaseRefusal } from '../core/ports.ts';
import { readIfThere, writeAtomically } from './atomic-file.ts';

interface LeaseFile {
  readonly holder: LeaseHolder;
  readonly token: number;
  readonly expiresAt: number;
}

/**
 * A lease that several processes on one machine agree on. The file says who has it and until when; a folder made
 * with mkdir, which only one can make, guards the moment of reading and replacing it.
 */
export async function acquireFileLease(
  path: string,
  holder: LeaseHolder,
  ttlMs: number,
  clock: Clock,
): Promise<Lease | LeaseRefusal> {
  await mkdir(dirname(path), { recursive: true });
  return await guarded(path, clock, async () => {
    const current = await read(path);
    if (
      current &&
      current.expiresAt > clock.now() &&
      current.holder.id !== holder.id &&
      !isDead(current.holder)
    ) {
      return { held: false, holder: current.holder, expiresAt: current.expiresAt } as const;
    }
    const token = (current?.token ?? 0) + 1;
    await write(path, { holder, token, expiresAt: clock.now() + ttlMs });
    return leaseOf(path, holder, token, ttlMs, clock);
  });
}

/** Who has it, if anybody has it now. */
export async function readFileLease(
  path: string,
  clock: Clock,
): Promise<Pick<KnownLease, 'holder' | 'expiresAt'> | undefined> {
  const current = await read(path);
  if (!current || current.expiresAt <= clock.now() || isDead(current.holder)) return undefined;
  return { holder: current.holder, expiresAt: current.expiresAt };
}

/** With the next token and no time left: whoever has it is no longer the newest. */
export async function breakFileLease(path: string, clock: Clock): Promise<LeaseHolder | undefined> {
  const known = await readFileLease(path, clock);
  if (known === undefined) return undefined;
  return await guarded(path, clock, async () => {
    const current = await read(path);
    if (!current) return undefined;
    await write(path, { holder: current.holder, token: current.token + 1, expiresAt: 0 });
    return known.holder;
  });
}

/** Only of a process of this machine can it be said; one that took over a dead one's pid counts as alive. */
function isDead({ process: holder }: LeaseHolder): boolean {
  if (holder === undefined || holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function leaseOf(path: string, holder: LeaseHolder, token: number, ttlMs: number, clock: Clock): Lease {
  /** Whatever happened meanwhile: only the holder of the newest token may change the file. */
  const ifOurs = (change: () => Promise<void>): Promise<boolean> =>
    guarded(path, clock, async () => {
      const current = await read(path);
      if (current?.token !== token || current.expiresAt <= clock.now()) return false;
      await change();
      return true;
    });
  return {
    held: true,
    token,
    async isHeld() {
      const current = await read(path);
      return current?.token === token && current.expiresAt > clock.now();
    },
    renew: () => ifOurs(() => write(path, { holder, token, expiresAt: clock.now() + ttlMs })),
    async release() {
      // Kept with its token and an end in the past: the next token must be higher.
      await ifOurs(() => write(path, { holder, token, expiresAt: 0 }));
    },
  };
}

async function read(path: string): Promise<LeaseFile | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : (JSON.parse(text) as LeaseFile);
}

function write(path: string, lease: LeaseFile): Promise<void> {
  return writeAtomically(path, JSON.stringify(lease));
}

/** Held for milliseconds only, so one older than this was left by a process that died inside. */
const GUARD_STALE_MS = 2_000;

async function guarded<T>(path: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const guard = `${path}.guard`;
  const givenUp = clock.monotonic() + GUARD_STALE_MS;
  for (;;) {
    try {
      await mkdir(guard);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (clock.monotonic() > givenUp) await rm(guard, { recursive: true, force: true });
      else await clock.sleep(10);
    }
  }
  try {
    return await work();
  } finally {
    await rm(guard, { recursive: true, force: true });
  }
}
