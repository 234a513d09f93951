import { platformError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { LogMark, Runner, RunnerLogLine } from '../../core/runner.ts';
import type { Reconciler } from './reconciler.ts';
import type { Manifest, ReleaseFolders } from './release-folders.ts';
import { type HostStore, type ReleaseRecord, type RunSpec, servingRelease } from './state.ts';
import { createUploads } from './uploads.ts';
import { type ApplicationView, releaseView } from './view.ts';

interface KeeperDeps {
  readonly store: HostStore;
  readonly folders: ReleaseFolders;
  readonly runner: Pick<Runner, 'list' | 'logs' | 'logsAfter'>;
  readonly reconciler: Pick<Reconciler, 'reconcile' | 'instancesOf' | 'renew'>;
  readonly clock: Clock;
}

export type LogMarks = Readonly<Record<string, LogMark>>;

interface HostLogs {
  /** Oldest first. */
  readonly lines: readonly RunnerLogLine[];
  readonly marks: LogMarks;
  readonly missed: boolean;
}

/**
 * What the daemon's API does: each act only changes what is wanted and says so on disk, then the reconciler makes it
 * so. Hence an act repeated changes nothing, and a daemon that died goes on.
 */
export interface Keeper {
  /** Names of all that has a release here. */
  applications(): readonly string[];
  view(application: string): ApplicationView;
  /** True when the content must be sent; false when that very release is here already. */
  offer(application: string, release: string, manifest: Manifest): boolean;
  receive(application: string, release: string, archive: Buffer): Promise<void>;
  /** One that was tried becomes one like any other: its instances stay, and it serves once all that are wanted do. */
  run(application: string, release: string, run: RunSpec, instances: number): Promise<void>;
  /** Beside the one that serves, or with another number of instances. */
  runTrial(application: string, release: string, run: RunSpec, instances: number): Promise<void>;
  /** Back to what it was before it was tried: its content stays. Of one that is not tried nothing changes. */
  endTrial(application: string, release: string): Promise<void>;
  /** Returns the release whose number of instances was changed. */
  scale(application: string, instances: number): Promise<string>;
  /** No instances any more, and a note of how many there were. Whatever is stopped or does not run stays so. */
  stop(application: string): Promise<void>;
  /** Returns the release that runs again as it was stopped, or ran all the time. */
  start(application: string): Promise<string>;
  /** Ends one instance and starts it anew, unless it has begun after `since`. */
  restart(application: string, instance: string, since: number): Promise<void>;
  retire(application: string, release: string): Promise<void>;
  destroy(application: string): Promise<void>;
  logs(application: string, lines: number): readonly RunnerLogLine[];
  /** What came after these marks, one for each instance; of instances without one, all. */
  logsAfter(application: string, marks: LogMarks): HostLogs;
  /** Resolves when nothing is being unpacked. */
  settled(): Promise<void>;
}

export function createKeeper(deps: KeeperDeps): Keeper {
  const { store, runner, reconciler, clock } = deps;
  const { applications } = store.state;
  const uploads = createUploads(deps.folders);

  function find(application: string, release: string): ReleaseRecord | undefined {
    return applications[application]?.[release];
  }

  function mustFind(application: string, release: string): ReleaseRecord {
    const found = find(application, release);
    if (found !== undefined) return found;
    throw platformError('notFound', 'host', `${release} of ${application} is not on this host`, {
      why: 'it was never sent here, or it was retired since',
      remedy: 'deploy it again: the upload comes first',
    });
  }

  function mustServe(application: string) {
    const id = servingRelease(applications[application] ?? {});
    const release = id === undefined ? undefined : find(application, id);
    const at = release?.at;
    if (id !== undefined && release !== undefined && (at?.phase === 'running' || at?.phase === 'starting'))
      return { id, release, at };
    throw platformError('notFound', 'host', `no release of ${application} runs on this host`, {
      why: 'what is here is staged, failed or on its way out',
      remedy: 'deploy it first',
    });
  }

  function instancesOf(application: string): readonly string[] {
    return runner.list().flatMap(({ id }) => (id.startsWith(`${application}/`) ? [id] : []));
  }

  async function retire(application: string, id: string): Promise<void> {
    const release = find(application, id);
    if (release === undefined) return;
    release.at = { phase: 'retiring' };
    await store.save();
    reconciler.reconcile(application, id);
  }

  return {
    applications: () => Object.keys(applications),

    view(application) {
      const views = Object.entries(applications[application] ?? {}).map(([id, release]) =>
        releaseView(id, release, reconciler.instancesOf(application, id)),
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
      if (at.phase === 'staged' || at.phase === 'failed' || at.trial === true) {
        release.at = { phase: 'starting', run, wanted: instances, since: clock.now() };
      } else {
        // Applied anew, it is the one that serves, also when another one came in between.
        const since = at.phase === 'running' ? clock.now() : at.since;
        const { stoppedAt: _, ...rest } = at;
        release.at = { ...rest, run, wanted: instances, since };
      }
      await store.save();
      reconciler.reconcile(application, id);
    },

    async runTrial(application, id, run, instances) {
      const release = mustFind(application, id);
      const { at } = release;
      if (at.phase === 'retiring') throw leaving(id);
      if (at.phase === 'staged' || at.phase === 'failed') {
        release.at = { phase: 'starting', run, wanted: instances, since: clock.now(), trial: true };
      } else if (at.trial === true) release.at = { ...at, run, wanted: instances };
      else throw servesAlready(id);
      await store.save();
      reconciler.reconcile(application, id);
    },

    async endTrial(application, id) {
      const release = find(application, id);
      if (release === undefined || !isTrial(release)) return;
      release.at = { phase: 'staged' };
      await store.save();
      reconciler.reconcile(application, id);
    },

    async scale(application, instances) {
      const { id, release, at } = mustServe(application);
      const { stoppedAt: _, ...rest } = at;
      release.at = { ...rest, wanted: instances };
      await store.save();
      reconciler.reconcile(application, id);
      return id;
    },

    async stop(application) {
      mustServe(application);
      for (const [id, release] of Object.entries(applications[application] ?? {})) {
        const { at } = release;
        if ((at.phase !== 'running' && at.phase !== 'starting') || at.trial === true) continue;
        if (at.stoppedAt !== undefined) continue;
        release.at = { ...at, wanted: 0, stoppedAt: at.wanted };
        await store.save();
        reconciler.reconcile(application, id);
      }
    },

    async start(application) {
      const { id, release, at } = mustServe(application);
      const { stoppedAt, ...rest } = at;
      if (stoppedAt === undefined) return id;
      release.at = { ...rest, wanted: stoppedAt };
      await store.save();
      reconciler.reconcile(application, id);
      return id;
    },

    async restart(application, instance, since) {
      const { id } = mustServe(application);
      const found = reconciler.instancesOf(application, id).find((one) => one.id === instance);
      if (found === undefined) {
        throw platformError('notFound', 'host', `there is no instance ${instance} of ${application}`, {
          why: `${id} serves, and has none of that name`,
          remedy: 'look again: `sluice status`',
        });
      }
      if (found.since > since) return;
      reconciler.renew(application, id, instance);
    },

    async retire(application, id) {
      const release = find(application, id);
      if (release !== undefined && isTrial(release)) throw tried(id);
      await retire(application, id);
    },

    async destroy(application) {
      for (const id of Object.keys(applications[application] ?? {})) await retire(application, id);
    },

    logs(application, lines) {
      const all = instancesOf(application).flatMap((id) => runner.logs(id, lines));
      return all.sort((a, b) => a.at - b.at).slice(-lines);
    },
    logsAfter(application, marks) {
      const parts = instancesOf(application).map((id) => [id, runner.logsAfter(id, marks[id])] as const);
      return {
        lines: parts.flatMap(([, part]) => part.lines).sort((a, b) => a.at - b.at),
        marks: Object.fromEntries(parts.map(([id, part]) => [id, part.mark])),
        missed: parts.some(([, part]) => part.missed),
      };
    },
    settled: () => uploads.settled(),
  };
}

function isTrial({ at }: ReleaseRecord): boolean {
  return (at.phase === 'starting' || at.phase === 'running') && at.trial === true;
}

function servesAlready(id: string): Error {
  return platformError('conflict', 'host', `${id} runs here already, and is not tried`, {
    why: 'it serves, or is on its way to',
    remedy: 'there is nothing to try: it is the release that was deployed',
  });
}

function tried(id: string): Error {
  return platformError('conflict', 'host', `${id} is being tried and is not retired`, {
    why: 'its instances run beside those of the release that serves',
    remedy: 'end the trial first',
  });
}

function leaving(id: string): Error {
  return platformError('conflict', 'host', `${id} is being removed from this host`, {
    why: 'it was retired, and its instances drain',
    remedy: 'try again when it is gone',
  });
}
