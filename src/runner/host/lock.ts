import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.ts';
import { hasCode } from '../../lib/has-code.ts';
import { identify, isAlive } from '../proc.ts';

const lockSchema = z.object({ pid: z.number(), startTicks: z.number().optional() });

/**
 * One daemon a state folder: two would supervise the same processes. The lock of a daemon that died is recognised
 * by its process being gone, and taken over. Returns what gives it back.
 */
export async function lockFolder(path: string): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await take(path)) return () => rm(path, { force: true });
    const holder = await holderOf(path);
    if (holder !== undefined && isAlive(holder)) throw held(path, holder.pid);
    await rm(path, { force: true });
  }
  throw held(path, undefined);
}

/** The lock appears with its content: nobody ever reads a half-written one and takes it for dead. */
async function take(path: string): Promise<boolean> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function holderOf(path: string): Promise<{ pid: number; startTicks: number | undefined } | undefined> {
  try {
    const { pid, startTicks } = lockSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { pid, startTicks };
  } catch {
    // Given back this very moment, or damaged.
    return undefined;
  }
}

function held(path: string, pid: number | undefined): SluiceError {
  return new SluiceError('PORT_IN_USE', 'another host daemon works on this state folder', {
    where: path,
    why: pid === undefined ? 'others took the lock, again and again' : `process ${pid} holds the lock`,
    remedy: 'use that one, or stop it first, or give another folder with --state',
  });
}
