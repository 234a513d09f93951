import type { Clock, Dispose, Logger } from '../../core/ports.ts';
import type { InstanceSpec, RunningInstance, StartDetection } from '../../core/runner.ts';
import type { KeepingRunner } from '../keeping-runner.ts';
import { identify, isAlive, type ProcessIdentity } from '../proc.ts';
import { endLeftover, recordedIdentity } from './leftover.ts';
import { createLoops } from './loops.ts';
import type { ReleaseFolders } from './release-folders.ts';
import { startOutcome } from './start-outcome.ts';
import type { HostStore, ProcessRecord, ReleaseRecord, RunSpec } from './state.ts';

const LOG_TAIL_LINES = 30;
/** What cannot even load ends sooner. */
const ALIVE_MS = 1_000;

interface ReconcilerDeps {
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
 * Makes what is wanted of each release so: starts, stops, adopts, and takes back what does not start. It reads what
 * is wanted from the state and writes down what became of it.
 */
export interface Reconciler {
  /** Adopts what still runs, ends what nobody wants, starts what is missing. */
  resume(): Promise<void>;
  /** Look at this release (again). */
  reconcile(application: string, release: string): void;
  /** Ends this instance, and starts it anew if it is still wanted then. */
  renew(application: string, release: string, instance: string): void;
  instancesOf(application: string, release: string): readonly RunningInstance[];
  /** Decides nothing from now on; the runner is the caller's. */
  close(): Promise<void>;
}

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { store, folders, runner, clock, logger } = deps;
  const { applications } = store.state;
  const loops = createLoops(
    (key) => reconcileOnce(...splitKey(key)),
    (key, error) => logger.error({ release: key, err: error }, 'could not do what is wanted'),
  );
  /** Instances of an attempt that failed or that are started anew, on their way out: they say nothing of the next. */
  const ending = new Set<string>();
  /** What an earlier daemon left and nobody wants, being ended. */
  const leftovers: Promise<unknown>[] = [];
  const deadlines = new Map<string, Dispose>();
  let closed = false;
  const stopListening = runner.onChange((instance) => noticed(instance));

  function find(application: string, release: string): ReleaseRecord | undefined {
    return applications[application]?.[release];
  }

  function instancesOf(application: string, release: string): readonly RunningInstance[] {
    return runner.list().filter((one) => one.id.startsWith(`${application}/${release}/`));
  }

  function reconcile(application: string, id: string): void {
    loops.kick(`${application}/${id}`);
  }

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
      startDetection: startDetectionOf(run),
      startTimeoutMs: run.startTimeoutMs,
      stopGraceMs: run.stopGraceMs,
    };
  }

  async function reconcileOnce(application: string, id: string): Promise<void> {
    const release = find(application, id);
    if (release === undefined) return;
    const { at } = release;
    const wanted = new Set(wantedIds(application, id, release));
    const surplus = instancesOf(application, id).filter((one) => !wanted.has(one.id) || ending.has(one.id));
    await Promise.all(surplus.map((one) => end(release, one.id)));
    if (at.phase === 'starting' || at.phase === 'running') {
      for (const instance of wanted) {
        // Something else is wanted meanwhile: that is the next turn's work.
        if (closed || release.at !== at) break;
        if (runner.get(instance) !== undefined) continue;
        release.processes[instance] = { port: 0, pid: 0, ready: false, restarts: 0 };
        await runner.start(specOf(application, id, instance, at.run));
      }
      judge(application, id);
    }
    if (at.phase === 'retiring') await forget(application, id);
    await store.save();
  }

  async function end(release: ReleaseRecord, instance: string): Promise<void> {
    await runner.stop(instance);
    runner.forget(instance);
    delete release.processes[instance];
    ending.delete(instance);
  }

  async function forget(application: string, id: string): Promise<void> {
    await folders.remove(application, id);
    const releases = applications[application];
    if (releases === undefined) return;
    delete releases[id];
    if (Object.keys(releases).length === 0) delete applications[application];
  }

  function noticed(instance: RunningInstance): void {
    const [application, id] = splitKey(instance.id);
    const record = find(application, id)?.processes[instance.id];
    if (closed || record === undefined) return;
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
    const { at } = release;
    const { run, wanted, since } = at;
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
      release.at = { ...at, phase: 'running', since: clock.now() };
      logger.info({ application, release: id, instances: wanted }, 'all instances are ready');
      save();
      return;
    }
    const logTail = verdict.culprit === undefined ? [] : tailOf(verdict.culprit);
    release.at = { phase: 'failed', failure: { reason: verdict.reason, logTail: [...logTail] } };
    for (const one of instances) ending.add(one.id);
    logger.warn({ application, release: id }, `the release did not start: ${verdict.reason}`);
    reconcile(application, id);
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

  async function resumeRelease(application: string, id: string, release: ReleaseRecord): Promise<void> {
    const { at } = release;
    const left = Object.entries(release.processes);
    if (deps.adopts && (at.phase === 'starting' || at.phase === 'running')) {
      for (const [instance, record] of left) {
        const identity = recordedIdentity(record);
        if (identity !== undefined && isAlive(identity)) {
          await runner.adopt(specOf(application, id, instance, at.run), { ...record, identity });
          logger.info({ release: id, instance, pid: identity.pid }, 'adopted a running instance');
        } else {
          await endLeftover(record, clock);
        }
      }
      reconcile(application, id);
      return;
    }
    const gone = Promise.all(left.map(([, record]) => endLeftover(record, clock)));
    leftovers.push(gone);
    void gone.then(() => {
      release.processes = {};
      reconcile(application, id);
    });
  }

  return {
    reconcile,
    renew(application, id, instance) {
      ending.add(instance);
      reconcile(application, id);
    },
    instancesOf,
    async resume() {
      await folders.tidy((application, release) => find(application, release) !== undefined);
      for (const [application, releases] of Object.entries(applications)) {
        for (const [id, release] of Object.entries(releases)) await resumeRelease(application, id, release);
      }
      await store.save();
    },
    async close() {
      closed = true;
      loops.close();
      stopListening();
      for (const dispose of deadlines.values()) dispose();
      await Promise.all(leftovers);
    },
  };
}

function startDetectionOf({ listens, healthPath }: RunSpec): StartDetection {
  if (listens === false) return { kind: 'alive', forMs: ALIVE_MS };
  return healthPath === undefined ? { kind: 'tcp' } : { kind: 'http', path: healthPath };
}

function setIdentity(record: ProcessRecord, identity: ProcessIdentity): void {
  record.pid = identity.pid;
  if (identity.startTicks === undefined) delete record.startTicks;
  else record.startTicks = identity.startTicks;
}

/** `shop/r-0123456789` and `shop/r-0123456789/0` alike. */
function splitKey(key: string): [application: string, release: string] {
  const [application = '', release = ''] = key.split('/');
  return [application, release];
}
