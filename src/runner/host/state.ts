import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.ts';
import { replaceFile } from './replace-file.ts';

/** How one release is run: everything but the number of instances. Values of `env` may be secret. */
export const runSchema = z.strictObject({
  command: z.string().min(1),
  env: z.record(z.string(), z.string()),
  /** HTTP path that answers 2xx or 3xx when ready; undefined: the port accepts a connection. */
  healthPath: z.string().startsWith('/').optional(),
  /** False: it takes no connections; it is ready once it has lived for a moment. Left out: true. */
  listens: z.boolean().optional(),
  startTimeoutMs: z.number().int().positive(),
  stopGraceMs: z.number().int().nonnegative(),
});
export type RunSpec = z.output<typeof runSchema>;

const failureSchema = z.object({ reason: z.string(), logTail: z.array(z.string()) });

/** A process on record. `startTicks` absent: it was promised and not yet spawned, or the system does not tell. */
const processSchema = z.object({
  port: z.number(),
  pid: z.number(),
  startTicks: z.number().optional(),
  ready: z.boolean(),
  restarts: z.number(),
});
export type ProcessRecord = z.output<typeof processSchema>;

const running = {
  run: runSchema,
  wanted: z.number().int().nonnegative(),
  since: z.number(),
  /** Tried beside the one that serves, until it is run as any other. */
  trial: z.literal(true).optional(),
  /** It is stopped, and was to run so many before. */
  stoppedAt: z.number().int().nonnegative().optional(),
};
const phaseSchema = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('staged') }),
  /** Not all instances have been ready yet; ends as `running` or `failed`. */
  z.object({ phase: z.literal('starting'), ...running }),
  z.object({ phase: z.literal('running'), ...running }),
  z.object({ phase: z.literal('failed'), failure: failureSchema }),
  /** On its way out: instances drain, then the folder goes. */
  z.object({ phase: z.literal('retiring') }),
]);

const releaseSchema = z.object({
  digest: z.string(),
  stagedAt: z.number(),
  at: phaseSchema,
  processes: z.record(z.string(), processSchema),
});
export type ReleaseRecord = z.output<typeof releaseSchema>;

export type Releases = Record<string, ReleaseRecord>;

const stateSchema = z.object({
  version: z.literal(1),
  /** Process start times count from the boot: after another one nothing on record can still run. */
  boot: z.string(),
  applications: z.record(z.string(), z.record(z.string(), releaseSchema)),
});
type HostState = z.output<typeof stateSchema>;

/** The release whose instances became ready last; before any did, the one that is starting. Never one that is tried. */
export function servingRelease(releases: Readonly<Releases>): string | undefined {
  let best: { id: string; since: number; ready: boolean } | undefined;
  for (const [id, { at }] of Object.entries(releases)) {
    if ((at.phase !== 'running' && at.phase !== 'starting') || at.trial === true) continue;
    const ready = at.phase === 'running';
    const better = best === undefined || (ready === best.ready ? at.since >= best.since : ready);
    if (better) best = { id, since: at.since, ready };
  }
  return best?.id;
}

/** What this daemon must know after its death. Saved whole; each save waits for the disk. */
export interface HostStore {
  readonly state: HostState;
  /** Resolves when everything that was in `state` at the call is on disk. */
  save(): Promise<void>;
}

export async function openHostStore(path: string): Promise<HostStore> {
  const state = await load(path);
  let writing: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  async function write(): Promise<void> {
    queued = undefined;
    await replaceFile(path, JSON.stringify(state));
  }

  return {
    state,
    save() {
      // Whoever comes while one write is under way shares the next.
      queued ??= writing.then(write);
      writing = queued.catch(() => undefined);
      return queued;
    },
  };
}

async function load(path: string): Promise<HostState> {
  const boot = bootId();
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(path, error.message);
  });
  if (text === undefined) return { version: 1, boot, applications: {} };
  const parsed = stateSchema.safeParse(parseJson(path, text));
  if (!parsed.success) throw unreadable(path, parsed.error.issues[0]?.message ?? 'not understood');
  if (parsed.data.boot !== boot) {
    for (const release of releasesOf(parsed.data)) release.processes = {};
  }
  return { ...parsed.data, boot };
}

function releasesOf(state: HostState): ReleaseRecord[] {
  return Object.values(state.applications).flatMap((releases) => Object.values(releases));
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

function unreadable(path: string, why: string): SluiceError {
  return new SluiceError('STATE_UNREADABLE', 'the state of the host daemon cannot be read', {
    where: path,
    why,
    remedy:
      'put the file back from a copy, or stop the processes that it lists, move it away and deploy again',
  });
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
