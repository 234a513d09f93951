import { recordUpdate } from '../apply.ts';
import { enterPhase, isFinished } from '../build-status.ts';
import type { Cluster } from '../cluster.ts';
import { badRequest, internalError, methodNotAllowed, notFound, StatusError } from '../errors.ts';
import { clone, type JsonObject, objectAt } from '../json.ts';
import type { Build, BuildConfig } from '../openshift-types.ts';
import { BUILD_CONFIGS, BUILDS, SERVICE_ACCOUNTS } from '../resources.ts';
import { checkNamespace } from './admission.ts';
import { type Answer, type ApiRequest, ok, readBody, type Target } from './http.ts';

const MAX_UPLOAD_BYTES = 1024 * 1024 * 1024;
const START_TIMEOUT_MS = 5 * 60_000;

/**
 * The upload of a binary build. The Build exists at once, but the body is left on the wire until the build pod runs and
 * the answer comes only after the whole of it: 201 with the Build in phase Running. A client that goes away cancels it.
 */
export async function instantiateBinary(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  if (request.method !== 'POST') throw methodNotAllowed();
  const config = buildable(cluster, target, name);
  const { query } = request;
  const asFile = query.get('asFile');
  const commit = query.get('revision.commit');
  const person = (who: string): JsonObject =>
    given({ name: query.get(`revision.${who}Name`), email: query.get(`revision.${who}Email`) });
  const build = createBuild(cluster, config, {
    source: { ...objectAt(config.spec.source), type: 'Binary', binary: asFile ? { asFile } : {} },
    ...(commit
      ? {
          revision: {
            type: 'Git',
            git: {
              commit,
              author: person('author'),
              committer: person('committer'),
              ...given({ message: query.get('revision.message') }),
            },
          },
        }
      : {}),
  });
  const cancel = (): void => cancelBuild(cluster, build);
  // 'close' also comes after a complete answer; then the build is past cancelling this way.
  let answered = false;
  request.response.on('close', () => {
    if (!answered) cancel();
  });
  const running = await started(cluster, build);
  if (running.status.phase !== 'Running') {
    answered = true;
    throw badRequest(
      running.status.phase === 'Cancelled'
        ? `build ${running.metadata.name} was cancelled: No logs are available.`
        : `build ${running.metadata.name} encountered an error: No logs are available.`,
    );
  }
  if (cluster.takeFault('upload-cut-once')) {
    request.incoming.once('data', () => request.incoming.socket.resetAndDestroy());
  }
  const upload = await readBody(request.incoming, MAX_UPLOAD_BYTES);
  answered = true;
  cluster.builds.of(build.metadata.uid ?? '').provide(upload);
  return ok(running, 201);
}

function given(values: Readonly<Record<string, string | null>>): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value));
}

/** The configuration, if a build of it can be made now. */
function buildable(cluster: Cluster, target: Target, name: string): BuildConfig {
  const namespace = target.namespace ?? '';
  const config = cluster.store.get(BUILD_CONFIGS, namespace, name);
  if (!config) throw notFound(BUILD_CONFIGS, name);
  checkNamespace(cluster, BUILDS, name, namespace);
  if (!cluster.store.get(SERVICE_ACCOUNTS, namespace, 'builder')) {
    throw internalError(
      `error getting push/pull secrets for service account ${namespace}/builder: serviceaccounts "builder" not found`,
    );
  }
  return config;
}

function createBuild(
  cluster: Cluster,
  config: BuildConfig,
  from: { readonly source: JsonObject; readonly revision?: JsonObject; readonly cloneOf?: string },
): Build {
  const { name, namespace, uid } = config.metadata;
  const changed = cluster.store.change(BUILD_CONFIGS, namespace, name, (draft) => {
    draft.status.lastVersion += 1;
    // Its own server counts that as a change of the object, though it is none of the specification.
    draft.metadata.generation = (draft.metadata.generation ?? 1) + 1;
  });
  const number = changed?.status.lastVersion ?? 1;
  const { strategy, output } = config.spec;
  const draft: Build = {
    kind: 'Build',
    apiVersion: 'build.openshift.io/v1',
    metadata: {
      name: `${name}-${number}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...config.metadata.labels,
        buildconfig: name,
        'openshift.io/build-config.name': name,
        'openshift.io/build.start-policy': config.spec.runPolicy,
      },
      annotations: {
        'openshift.io/build-config.name': name,
        ...(from.cloneOf === undefined ? {} : { 'openshift.io/build.clone-of': from.cloneOf }),
        'openshift.io/build.number': String(number),
      },
      ownerReferences: [
        { apiVersion: 'build.openshift.io/v1', kind: 'BuildConfig', name, uid: uid ?? '', controller: true },
      ],
    },
    spec: {
      serviceAccount: 'builder',
      source: from.source,
      ...(from.revision === undefined ? {} : { revision: from.revision }),
      strategy,
      output: clone(output),
      resources: {},
      postCommit: {},
      nodeSelector: null,
    },
    status: { phase: 'New', config: { kind: 'BuildConfig', namespace: namespace ?? '', name }, output: {} },
  };
  enterPhase(draft, 'New', cluster.store.now());
  recordUpdate(undefined, draft, { manager: 'openshift-apiserver', time: cluster.store.now() });
  return cluster.store.create(BUILDS, draft);
}

function cancelBuild(cluster: Cluster, build: Build): void {
  cluster.store.change(BUILDS, build.metadata.namespace, build.metadata.name, (draft) => {
    if (!isFinished(draft)) draft.status.cancelled = true;
  });
}

/** Resolves when the build runs or will not; rejects with 504 when it took too long to start. */
function started(cluster: Cluster, build: Build): Promise<Build> {
  return new Promise((resolve, reject) => {
    const stopTimer = cluster.clock.after(START_TIMEOUT_MS, () => {
      unsubscribe();
      reject(
        new StatusError(
          504,
          'Timeout',
          `timed out waiting for build ${build.metadata.name} to start after 5m0s`,
          {},
        ),
      );
    });
    const unsubscribe = cluster.store.onChange((event) => {
      if (event.object.metadata.uid !== build.metadata.uid) return;
      const now = cluster.store.get(BUILDS, build.metadata.namespace, build.metadata.name);
      if (now && now.status.phase !== 'Running' && !isFinished(now)) return;
      unsubscribe();
      stopTimer();
      if (now) resolve(now);
      else reject(badRequest(`build ${build.metadata.name} was deleted: No logs are available.`));
    });
  });
}

/** `instantiate` is for builds with a source of their own; a binary configuration has none, and its build finds nothing. */
export function instantiate(cluster: Cluster, request: ApiRequest, target: Target, name: string): Answer {
  if (request.method !== 'POST') throw methodNotAllowed();
  const config = buildable(cluster, target, name);
  return ok(createBuild(cluster, config, { source: { type: 'None' } }), 201);
}

/** The same build again; the upload of a binary one was not kept. */
export function cloneBuild(cluster: Cluster, request: ApiRequest, target: Target, name: string): Answer {
  if (request.method !== 'POST') throw methodNotAllowed();
  const build = cluster.store.get(BUILDS, target.namespace, name);
  if (!build) throw notFound(BUILDS, name);
  const config = buildable(cluster, target, build.status.config?.name ?? '');
  return ok(createBuild(cluster, config, { source: { type: 'None' }, cloneOf: name }), 201);
}

/** The builder's output; served as octets, and with `follow` until the build ends. */
export async function buildLog(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
  name: string,
): Promise<Answer> {
  if (request.method !== 'GET') throw methodNotAllowed();
  const build = cluster.store.get(BUILDS, target.namespace, name);
  if (!build) throw notFound(BUILDS, name);
  if (build.status.phase === 'Error')
    throw badRequest(`build ${name} is in an error state. No logs are available.`);
  const run = cluster.builds.of(build.metadata.uid ?? '');
  if (build.status.phase === 'Cancelled' && run.lines.length === 0) {
    throw badRequest(`build ${name} was cancelled. No logs are available.`);
  }
  const follow = request.query.get('follow') === 'true';
  const early = build.status.phase === 'New' || build.status.phase === 'Pending';
  if (early && request.query.get('nowait') !== 'true') await started(cluster, build).catch(() => undefined);
  return {
    kind: 'stream',
    contentType: 'application/octet-stream',
    write(response) {
      for (const line of run.lines) response.write(`${line}\n`);
      if (!follow || run.ended) {
        response.end();
        return;
      }
      response.flushHeaders();
      const disposers = [
        run.onLine((line) => void response.write(`${line}\n`)),
        run.onEnd(() => response.end()),
      ];
      response.on('close', () => {
        for (const dispose of disposers) dispose();
      });
    },
  };
}
