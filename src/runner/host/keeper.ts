import { platformError } from '../../core/errors.ts';
import type { Clock, Dispose, Logger } from '../../core/ports.ts';
import type { InstanceSpec, RunnerLogLine, RunningInstance } from '../../core/runner.ts';
import type { KeepingRunner } from '../keeping-runner.ts';
import { identify, isAlive, type ProcessIdentity } from '../proc.ts';
import { terminateGroup } from '../process-group.ts';
import type { Manifest, ReleaseFolders } from './release-folders.ts';
import { startOutcome } from './start-outcome.ts';
import type { HostStore, ProcessRecord, ReleaseRecord, RunSpec } from './state.ts';
import { createUploads } from './uploads.ts';
import { type ApplicationView, releaseView } from './view.ts';

const LOG_TAIL_LINES = 30;
/** For processes of which nothing is known but their pid. */
const UNKNOWN_GRACE_MS = 5_000;

export interface KeeperDeps {
  readonly store: HostStore;
  readonly folders: ReleaseFolders;
  readonly runner: Pick<
    KeepingRunner,
    'start' | 'stop' | 'forget' | 'get' | 'list' | 'logs' | 'onChange' | 'adopt'
  >;
  /** False: what an earlier daemon left running is ended, not adopted. */
  readonly adopts: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Holds each release at the number of instances wanted of it. Every act only changes what is wanted and says so on
 * disk; `reconcile` then starts and stops. So an act repeated changes nothing, and a daemon that died goes on.
 */
export interface Keeper {
  /** Adopts what still runs, starts what does not. */
  resume(): Promise<void>;
  view(application: string): ApplicationView;
  /** True when the content must be sent; false when that very release is here already. */
  offer(application: string, release: string, manifest: Manifest): boolean;
  receive(application: string, release: string, archive: Buffer): Promise<void>;
  run(application: string, release: string, run: RunSpec, instances: number): Promise<void>;
  /** Returns the release whose number of instances was changed. */
  scale(application: string, instances: number): Promise<string>;
  retire(application: string, release: string): Promise<void>;
  destroy(application: string): Promise<void>;
  logs(application: string, lines: number): readonly RunnerLogLine[];
  /** Stops deciding; the runner is the caller's. */
  close(): Promise<void>;
}

export function createKeeper(deps: KeeperDeps): Keeper {
  const { store, folders, runner, clock, logger } = deps;
  const { applications } = store.state;
  const uploads = createUploads(folders);
  /** Instances of an attempt that failed, on their way out: they say nothing about the next attempt. */
  const ending = new Set<string>();
  /** What an earlier daemon left and nobody wants, being ended. */
  const leftovers: Promise<unknown>[] = [];
  const loops = new Map<string, { again: boolean; done: Promise<void> }>();
  const deadlines = new Map<string, Dispose>();
  let closed = false;
  const stopListening = runner.onChange((instance) => noticed(instance));

  function find(application: string, release: string): ReleaseRecord | undefined {
    return applications[application]?.[release];
  }

  function mustFind(application: string, release: string): ReleaseRecord {
    const found = find(application, release);
    if (found !== undefined) return found;
    throw platformError('notFound', 'host', `${release} of ${application} is not on this host`, {
      remedy: 'deploy it again: the upload comes first',
    });
  }

  function instancesOf(application: string, release: string): readonly RunningInstance[] {
    return runner.list().filter((one) => one.id.startsWith(`${application}/${release}/`));
  }

  // --- what is wanted -----------------------------------------------------------------------------------------

  function wantedIds(application: string, id: string, release: ReleaseRecord): readonly string[] {
    const { at } = release;
    if (at.phase !== 'starting' && at.phase !== 'running') return [];
    return Array.from({ length: at.wanted }, (_, index) => `${application}/${id}/${index}`);
  }

  function specOf(application: string, id: string, instance: string, run: RunSpec): InstanceSpec {
    return {
      id: instance,
      command: run.command,
      cwd: folders.pathOf(application, id),
      env: run.env,
      startDetection: run.healthPath === undefined ? { kind: 'tcp' } : { kind: 'http', path: run.healthPath },
      startTimeoutMs: run.startTimeoutMs,
      stopGraceMs: run.stopGraceMs,
    };
  }

  /** One loop a release; a change that comes while it works makes it look once more. */
  function reconcile(application: string, id: string): Promise<void> {
    const key = `${application}/${id}`;
    const running = loops.get(key);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const loop = { again: true, done: Promise.resolve() };
    loops.set(key, loop);
    loop.done = (async () => {
      try {
        while (loop.again && !closed) {
          loop.again = false;
          await reconcileOnce(application, id);
        }
      } catch (error) {
        logger.error(
          { application, release: id, err: error },
          'instances could not be brought to what is wanted',
        );
      } finally {
        loops.delete(key);
      }
    })();
    return loop.done;
  }

  async function reconcileOnce(application: string, id: string): Promise<void> {
    const release = find(application, id);
    if (release === undefined) return;
    const wanted = new Set(wantedIds(application, id, release));
    const surplus = instancesOf(application, id).filter((one) => !wanted.has(one.id));
    await Promise.all(
      surplus.map(async (one) => {
        await runner.stop(one.id);
        runner.forget(one.id);
        delete release.processes[one.id];
        ending.delete(one.id);
      }),
    );
    const { at } = release;
    if (at.phase === 'starting' || at.phase === 'running') {
      for (const instance of wanted) {
        if (closed || runner.get(instance) !== undefined) continue;
        release.processes[instance] = { port: 0, pid: 0, ready: false, restarts: 0 };
        await runner.start(specOf(application, id, instance, at.run));
      }
      judge(application, id);
    }
    if (at.phase === 'retiring') {
      await folders.remove(application, id);
      const releases = applications[application];
      if (releases?.[id] === release) delete releases[id];
      if (releases !== undefined && Object.keys(releases).length === 0) delete applications[application];
    }
    await store.save();
  }

  // --- what happens -------------------------------------------------------------------------------------------

  function noticed(instance: RunningInstance): void {
    const [application, id] = instance.id.split('/');
    const record =
      application === undefined || id === undefined
        ? undefined
        : find(application, id)?.processes[instance.id];
    if (closed || application === undefined || id === undefined || record === undefined) return;
    record.port = instance.port;
    record.ready = instance.state === 'running';
    record.restarts = instance.restarts;
    if (instance.pid === undefined) setIdentity(record, { pid: 0, startTicks: undefined });
    else if (instance.pid !== record.pid) setIdentity(record, identify(instance.pid));
    save();
    judge(application, id);
  }

  function judge(application: string, id: string): void {
    const release = find(application, id);
    if (release?.at.phase !== 'starting') return;
    const { run, wanted, since } = release.at;
    const instances = instancesOf(application, id).filter((one) => !ending.has(one.id));
    const elapsed = clock.now() - since;
    const verdict = startOutcome(instances, wanted, elapsed, run.startTimeoutMs);
    if (verdict.outcome === 'starting') {
      awaitDeadline(application, id, run.startTimeoutMs - elapsed);
      return;
    }
    deadlines.get(`${application}/${id}`)?.();
    deadlines.delete(`${application}/${id}`);
    if (verdict.outcome === 'ready') {
      release.at = { phase: 'running', run, wanted, since: clock.now() };
      logger.info({ application, release: id, instances: wanted }, 'all instances are ready');
      save();
      return;
    }
    const logTail = verdict.culprit === undefined ? [] : tailOf(verdict.culprit);
    release.at = { phase: 'failed', failure: { reason: verdict.reason, logTail: [...logTail] } };
    for (const one of instances) ending.add(one.id);
    logger.warn({ application, release: id }, `the release did not start: ${verdict.reason}`);
    void reconcile(application, id);
  }

  function awaitDeadline(application: string, id: string, ms: number): void {
    const key = `${application}/${id}`;
    if (deadlines.has(key)) return;
    deadlines.set(
      key,
      clock.after(ms, () => {
        deadlines.delete(key);
        judge(application, id);
      }),
    );
  }

  function tailOf(instance: string): readonly string[] {
    return runner.logs(instance, LOG_TAIL_LINES).map((line) => line.text);
  }

  function save(): void {
    store.save().catch((error: unknown) => {
      logger.error({ err: error }, 'the state of the host daemon could not be written');
    });
  }

  // --- after a restart of the daemon --------------------------------------------------------------------------

  async function resumeRelease(application: string, id: string, release: ReleaseRecord): Promise<void> {
    const { at } = release;
    const left = Object.entries(release.processes);
    if (deps.adopts && (at.phase === 'starting' || at.phase === 'running')) {
      for (const [instance, process] of left) {
        const identity = { pid: process.pid, startTicks: process.startTicks };
        if (process.pid === 0 || !isAlive(identity)) continue;
        await runner.adopt(specOf(application, id, instance, at.run), { ...process, identity });
        logger.info({ application, release: id, instance, pid: process.pid }, 'adopted a running instance');
      }
      void reconcile(application, id);
      return;
    }
    const gone = Promise.all(left.map(([, process]) => endLeftover(process)));
    leftovers.push(gone);
    void gone.then(() => {
      release.processes = {};
      return reconcile(application, id);
    });
  }

  async function endLeftover(process: ProcessRecord): Promise<void> {
    const identity = { pid: process.pid, startTicks: process.startTicks };
    if (process.pid !== 0 && isAlive(identity)) await terminateGroup(process.pid, UNKNOWN_GRACE_MS, clock);
  }

  async function retire(application: string, id: string): Promise<void> {
    const release = find(application, id);
    if (release === undefined) return;
    release.at = { phase: 'retiring' };
    await store.save();
    void reconcile(application, id);
  }

  return {
    async resume() {
      await folders.tidy((application, release) => find(application, release) !== undefined);
      for (const [application, releases] of Object.entries(applications)) {
        for (const [id, release] of Object.entries(releases)) await resumeRelease(application, id, release);
      }
      await store.save();
    },

    view(application) {
      const views = Object.entries(applications[application] ?? {}).map(([id, release]) =>
        releaseView(id, release, instancesOf(application, id)),
      );
      return { releases: views };
    },

    offer(application, id, manifest) {
      const here = find(application, id);
      if (here?.at.phase === 'retiring') throw leaving(id);
      if (here?.digest === manifest.digest) return false;
      if (here?.at.phase === 'starting' || here?.at.phase === 'running') {
        throw platformError('conflict', 'host', `${id} runs here with another content`, {
          why: `it has ${here.digest}, the upload ${manifest.digest}`,
          remedy: 'a release never changes: give the new content another release',
        });
      }
      uploads.offer(application, id, manifest);
      return true;
    },

    async receive(application, id, archive) {
      const manifest = await uploads.receive(application, id, archive);
      if (manifest === undefined) return;
      applications[application] ??= {};
      applications[application][id] = {
        digest: manifest.digest,
        stagedAt: clock.now(),
        at: { phase: 'staged' },
        processes: {},
      };
      await store.save();
    },

    async run(application, id, run, instances) {
      const release = mustFind(application, id);
      const { at } = release;
      if (at.phase === 'retiring') throw leaving(id);
      if (at.phase === 'staged' || at.phase === 'failed') {
        release.at = { phase: 'starting', run, wanted: instances, since: clock.now() };
        judge(application, id);
      } else {
        // Applied anew, it is the one that serves, also when another one came in between.
        const since = at.phase === 'running' ? clock.now() : at.since;
        release.at = { ...at, run, wanted: instances, since };
      }
      await store.save();
      void reconcile(application, id);
    },

    async scale(application, instances) {
      const id = servingRelease(applications[application] ?? {});
      const release = id === undefined ? undefined : find(application, id);
      if (id === undefined || (release?.at.phase !== 'running' && release?.at.phase !== 'starting')) {
        throw platformError('notFound', 'host', `no release of ${application} runs on this host`, {
          remedy: 'deploy it first',
        });
      }
      release.at = { ...release.at, wanted: instances };
      await store.save();
      void reconcile(application, id);
      return id;
    },

    retire,

    async destroy(application) {
      for (const id of Object.keys(applications[application] ?? {})) await retire(application, id);
    },

    logs(application, lines) {
      const all = runner
        .list()
        .filter((one) => one.id.startsWith(`${application}/`))
        .flatMap((one) => runner.logs(one.id, lines));
      return all.sort((a, b) => a.at - b.at).slice(-lines);
    },

    async close() {
      closed = true;
      stopListening();
      for (const dispose of deadlines.values()) dispose();
      await uploads.settled();
      await Promise.all(leftovers);
      await store.save();
    },
  };
}

function setIdentity(record: ProcessRecord, identity: ProcessIdentity): void {
  record.pid = identity.pid;
  if (identity.startTicks === undefined) delete record.startTicks;
  else record.startTicks = identity.startTicks;
}

/** The one whose instances became ready last; before that, the one that is starting. */
function servingRelease(releases: Readonly<Record<string, ReleaseRecord>>): string | undefined {
  let best: { id: string; since: number; rank: number } | undefined;
  for (const [id, { at }] of Object.entries(releases)) {
    if (at.phase !== 'running' && at.phase !== 'starting') continue;
    const rank = at.phase === 'running' ? 1 : 0;
    const better = best === undefined || rank > best.rank || (rank === best.rank && at.since >= best.since);
    if (better) best = { id, since: at.since, rank };
  }
  return best?.id;
}

function leaving(id: string): Error {
  return platformError('conflict', 'host', `${id} is being removed from this host`, {
    remedy: 'try again when it is gone',
  });
}
