import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assemble, type BuildFailure } from '../assemble.ts';
import type { BuildRun } from '../build-runs.ts';
import { buildNumber, enterPhase, isFinished } from '../build-status.ts';
import { type Cluster, type Controller, delayOf, keyOf, splitKey, workQueue } from '../cluster.ts';
import type { DelayName } from '../delays.ts';
import { pushImage } from '../image-push.ts';
import { imageDigest } from '../images.ts';
import { canonical, objectAt, textAt } from '../json.ts';
import type { Build } from '../openshift-types.ts';
import { BUILDS, IMAGE_STREAMS } from '../resources.ts';

/** New → Pending → Running → Complete | Failed | Cancelled; one build of a configuration at a time. */
export function createBuildController(cluster: Cluster): Controller {
  const { store, clock } = cluster;
  const ending = new AbortController();
  /** Builds whose work runs, and the way to stop it. */
  const working = new Map<string, AbortController>();
  const queue = workQueue(clock, delayOf(cluster, 'controller'), reconcile);
  const phases = workQueue(clock, 0, advance);
  const unsubscribe = store.onChange((event) => {
    if (event.type.plural === BUILDS.plural) {
      queue.add(keyOf(event.object));
      // The next one in line may go now.
      for (const other of store.list(BUILDS, event.object.metadata.namespace)) {
        if (other.status.phase === 'New') queue.add(keyOf(other));
      }
      if (event.change === 'DELETED') working.get(event.object.metadata.uid ?? '')?.abort();
    } else if (event.type.plural === IMAGE_STREAMS.plural) {
      for (const build of store.list(BUILDS, event.object.metadata.namespace)) {
        if (build.status.phase === 'New') queue.add(keyOf(build));
      }
    }
  });

  function find(key: string): Build | undefined {
    const { namespace, name } = splitKey(key);
    return store.get(BUILDS, namespace, name);
  }

  function reconcile(key: string): void {
    const build = find(key);
    if (!build || isFinished(build)) return;
    const uid = build.metadata.uid ?? '';
    if (build.status.cancelled) {
      working.get(uid)?.abort();
      finish(build, 'Cancelled', {
        reason: 'CancelledBuild',
        message: 'The build was cancelled by the user.',
      });
      return;
    }
    if (build.status.phase === 'New') {
      if (!isNext(build)) return;
      const stuck = obstacle(build);
      if (stuck) {
        store.change(BUILDS, build.metadata.namespace, build.metadata.name, (draft) => {
          Object.assign(draft.status, stuck);
        });
        return;
      }
    }
    const wait: DelayName = build.status.phase === 'New' ? 'buildPod' : 'buildPodStart';
    if (build.status.phase !== 'Running') phases.add(key, delayOf(cluster, wait));
    else if (!working.has(uid)) void work(build, cluster.builds.of(uid));
  }

  /** The wait of a phase is over. */
  function advance(key: string): void {
    const build = find(key);
    if (!build || build.status.cancelled) return;
    const { namespace, name } = build.metadata;
    const next =
      build.status.phase === 'New' ? 'Pending' : build.status.phase === 'Pending' ? 'Running' : undefined;
    if (!next) return;
    store.change(BUILDS, namespace, name, (draft) => {
      enterPhase(draft, next, store.now());
      draft.metadata.annotations = {
        ...draft.metadata.annotations,
        'openshift.io/build.pod-name': `${name}-build`,
      };
      const stream = store.get(IMAGE_STREAMS, namespace, outputTag(draft).stream);
      if (stream) {
        draft.status.outputDockerImageReference = `${stream.status.dockerImageRepository}:${outputTag(draft).tag}`;
      }
    });
  }

  function isNext(build: Build): boolean {
    const config = build.status.config?.name;
    return !store
      .list(BUILDS, build.metadata.namespace)
      .some(
        (other) =>
          other.status.config?.name === config &&
          !isFinished(other) &&
          buildNumber(other) < buildNumber(build),
      );
  }

  /** Why no build pod can be made; the build stays New and says so, as the real one does. */
  function obstacle(build: Build): BuildFailure | undefined {
    if (!store.get(IMAGE_STREAMS, build.metadata.namespace, outputTag(build).stream)) {
      return { reason: 'InvalidOutputReference', message: 'Output image could not be resolved.' };
    }
    if (cluster.faults.has('quota-exceeded')) {
      return {
        reason: 'CannotCreateBuildPod',
        message: 'Failed creating build pod: exceeded quota: compute-resources.',
      };
    }
    return undefined;
  }

  async function work(build: Build, run: BuildRun): Promise<void> {
    const uid = build.metadata.uid ?? '';
    const stop = new AbortController();
    working.set(uid, stop);
    const signal = AbortSignal.any([stop.signal, ending.signal]);
    const folder = join(cluster.dir, 'builds', uid);
    try {
      const isBinary = textAt(build.spec, 'source', 'type') === 'Binary';
      const input = isBinary ? await uploaded(run, signal) : Buffer.alloc(0);
      const failure = await assemble(cluster, build, run, input, folder, signal);
      if (failure) {
        finish(build, 'Failed', failure);
        return;
      }
      const environment = canonical(objectAt(build.spec, 'strategy'));
      const digest = imageDigest(input, environment);
      run.print(`Pushing image ${build.status.outputDockerImageReference} ...`);
      await clock.sleep(delayOf(cluster, 'push'), signal);
      if (cluster.faults.has('jobs-fail')) {
        run.print('error: build error: Failed to push image: received unexpected HTTP status: 503');
        finish(build, 'Failed', {
          reason: 'PushImageToRegistryFailed',
          message: 'Failed to push the image to the registry.',
        });
        return;
      }
      await keep(folder, cluster.images.folderOf(digest));
      pushImage(store, build.metadata.namespace ?? '', outputTag(build), digest);
      run.print(`Successfully pushed ${build.status.outputDockerImageReference}@${digest}`);
      run.print('Push successful');
      finish(build, 'Complete', undefined, digest);
    } catch (error) {
      if (signal.aborted) return;
      cluster.logger?.warn({ build: build.metadata.name, error: String(error) }, 'a build broke');
      finish(build, 'Failed', {
        reason: 'GenericBuildFailed',
        message: `Generic Build failure - ${String(error)}`,
      });
    } finally {
      working.delete(uid);
      await rm(folder, { recursive: true, force: true });
    }
  }

  function finish(build: Build, phase: string, because?: BuildFailure, digest?: string): void {
    const uid = build.metadata.uid ?? '';
    const run = cluster.builds.of(uid);
    store.change(BUILDS, build.metadata.namespace, build.metadata.name, (draft) => {
      enterPhase(draft, phase, store.now(), because);
      const began = Date.parse(draft.status.startTimestamp ?? store.now());
      draft.status.duration =
        Math.max(0, Date.parse(draft.status.completionTimestamp ?? '') - began) * 1_000_000;
      if (digest) draft.status.output = { to: { imageDigest: digest } };
      if (phase === 'Failed') draft.status.logSnippet = run.lines.slice(-5).join('\n');
    });
    run.end();
  }

  return {
    name: 'build',
    close() {
      unsubscribe();
      ending.abort(new Error('the cluster is closing'));
      queue.close();
      phases.close();
    },
  };
}

function outputTag(build: Build): { stream: string; tag: string } {
  const [stream = '', tag = 'latest'] = (textAt(build.spec, 'output', 'to', 'name') ?? '').split(':');
  return { stream, tag };
}

function uploaded(run: BuildRun, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (run.input) return resolve(run.input);
    const dispose = run.onInput(() => {
      dispose();
      if (run.input) resolve(run.input);
    });
    signal.addEventListener('abort', () => {
      dispose();
      reject(signal.reason);
    });
  });
}

async function keep(folder: string, image: string): Promise<void> {
  if (existsSync(image)) return;
  await mkdir(dirname(image), { recursive: true });
  await rename(folder, image);
}
