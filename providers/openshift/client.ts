import { type ZodType, z } from 'zod';
import type { CredentialLife } from '../../src/core/credentials.ts';
import { platformError } from '../../src/core/errors.ts';
import type { ProviderDeps } from '../../src/core/provider.ts';
import { type ApiAnswer, createApiClient } from '../../src/lib/api-client.ts';
import { decodeAnswer } from '../../src/lib/decode-answer.ts';
import { createAuth } from './auth.ts';
import type { Options } from './config.ts';
import { errorOf } from './errors.ts';
import { loginOf } from './login/source.ts';
import { FIELD_MANAGER } from './names.ts';
import { BUILD_CONFIG, DEPLOYMENT, pathOf, type Resource } from './resources.ts';
import { type Build, buildSchema } from './wire.ts';

/** The server answers an upload only after the build has read it, and the build may wait five minutes for a node. */
const UPLOAD_TIMEOUT_MS = 15 * 60_000;

/** What kubectl allows itself; the server's own priorities and 429s do the rest. */
const CALLS_PER_SECOND = 50;

/** A manifest as server-side apply takes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [part: string]: unknown;
}

export interface Listed<T> {
  readonly items: readonly T[];
  readonly version: string;
}

/** The API of one namespace, in the few verbs we need. Absent things are `undefined`, refusals are thrown. */
export interface OpenShiftClient {
  read<T>(path: string, schema: ZodType<T>, signal: AbortSignal): Promise<T>;
  /** A review: a POST that changes nothing. */
  review<T>(path: string, body: object, schema: ZodType<T>, signal: AbortSignal): Promise<T>;
  get<T>(resource: Resource<T>, name: string, signal: AbortSignal): Promise<T | undefined>;
  /** All pages. */
  list<T>(resource: Resource<T>, labelSelector: string, signal: AbortSignal): Promise<readonly T[]>;
  /** All pages, and the version of the world that they show. */
  listed<T>(resource: Resource<T>, labelSelector: string, signal: AbortSignal): Promise<Listed<T>>;
  /** Lines of JSON, one for each event since that version; ends after so many seconds. */
  watch(
    resource: Resource<unknown>,
    from: { readonly labelSelector: string; readonly version: string; readonly seconds: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Buffer>>;
  /** Server-side apply. Without force it fails with `conflict` where somebody else owns a field. */
  apply<T>(resource: Resource<T>, manifest: Manifest, force: boolean, signal: AbortSignal): Promise<T>;
  /** What `apply` would say, without its effect. */
  dryRun(resource: Resource<unknown>, manifest: Manifest, force: boolean, signal: AbortSignal): Promise<void>;
  /** Deleting what is gone succeeds; true when there was something. */
  remove(resource: Resource<unknown>, name: string, signal: AbortSignal): Promise<boolean>;
  scale(deployment: string, replicas: number, signal: AbortSignal): Promise<void>;
  /** Changes these fields of a Deployment only; null removes one. */
  patch(deployment: string, change: object, signal: AbortSignal): Promise<void>;
  /** Starts a build with these bytes as its source; answers when the build has read them all. */
  instantiateBinary(buildConfig: string, source: Buffer, signal: AbortSignal): Promise<Build>;
  /** Plain text, or undefined where there is none (yet). */
  log<T>(
    resource: Resource<T>,
    name: string,
    query: Record<string, string | number>,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** How long what we log in with holds. */
  life(): CredentialLife;
  close(): Promise<void>;
}

export function createClient(deps: ProviderDeps<Options>): OpenShiftClient {
  const { platform, options } = deps;
  const { namespace } = options;
  const login = loginOf(deps);
  const auth = createAuth(login.source, deps.clock);
  const api = createApiClient({
    platform,
    baseUrl: options.api,
    ca: options.ca,
    random: deps.random,
    ratePerSecond: CALLS_PER_SECOND,
    budgets: deps.budgets,
    account: login.account,
    headers: auth.headers,
    onUnauthorized: auth.renew,
    errorOf: (answer, call) => errorOf(platform, namespace, deps.clock.now(), answer, call),
  });

  function decode<T>(schema: ZodType<T>, answer: ApiAnswer, path: string): T {
    return decodeAnswer(schema, answer.json, (why) =>
      platformError('unsupported', platform, `${options.api} does not answer as OpenShift does`, {
        why: `${path}: ${why}`,
        remedy:
          'check that `api` is the address of an OpenShift API server and that no proxy answers in its place',
      }),
    );
  }

  async function serverSideApply(
    resource: Resource<unknown>,
    manifest: Manifest,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<{ readonly answer: ApiAnswer; readonly path: string }> {
    const path = pathOf(resource, namespace, manifest.metadata.name);
    const answer = await api.call({
      method: 'PATCH',
      path,
      query: { fieldManager: FIELD_MANAGER, ...query },
      json: manifest,
      contentType: 'application/apply-patch+yaml',
      signal,
      // Applying the same manifest twice is the same as once.
      repeatable: true,
    });
    return { answer, path };
  }

  async function listed<T>(
    resource: Resource<T>,
    labelSelector: string,
    signal: AbortSignal,
  ): Promise<Listed<T>> {
    const path = pathOf(resource, namespace);
    const items: T[] = [];
    let version = '';
    let from: string | undefined;
    do {
      const query = { labelSelector, limit: 500, continue: from };
      const answer = await api.call({ method: 'GET', path, query, signal });
      const page = decode(pageSchema(resource.schema), answer, path);
      items.push(...page.items);
      version = page.metadata.resourceVersion;
      from = page.metadata.continue || undefined;
    } while (from !== undefined);
    return { items, version };
  }

  return {
    async read(path, schema, signal) {
      const answer = await api.call({ method: 'GET', path, signal });
      return decode(schema, answer, path);
    },

    async review(path, body, schema, signal) {
      const answer = await api.call({ method: 'POST', path, json: body, signal, repeatable: true });
      return decode(schema, answer, path);
    },

    async get(resource, name, signal) {
      const path = pathOf(resource, namespace, name);
      const answer = await api.call({ method: 'GET', path, signal });
      return answer.status === 404 ? undefined : decode(resource.schema, answer, path);
    },

    list: async (resource, labelSelector, signal) => (await listed(resource, labelSelector, signal)).items,

    listed,

    async watch(resource, { labelSelector, version, seconds }, signal) {
      const path = pathOf(resource, namespace);
      const query = {
        watch: '1',
        allowWatchBookmarks: 'true',
        labelSelector,
        resourceVersion: version,
        timeoutSeconds: seconds,
      };
      const answer = await api.stream({ method: 'GET', path, query, signal });
      if (answer) return answer.body;
      throw platformError('notFound', platform, `${resource.plural} cannot be watched there`, {
        why: `GET ${path} answered 404`,
        remedy: 'nothing: they are read again and again instead',
      });
    },

    async apply(resource, manifest, force, signal) {
      const { answer, path } = await serverSideApply(resource, manifest, { force: String(force) }, signal);
      // Deprecations and fields the server does not know: it took the rest all the same.
      const warning = answer.headers['warning'];
      if (warning !== undefined) deps.logger.warn({ platform, path, warning }, 'the platform warns');
      return decode(resource.schema, answer, path);
    },

    async dryRun(resource, manifest, force, signal) {
      await serverSideApply(resource, manifest, { force: String(force), dryRun: 'All' }, signal);
    },

    async remove(resource, name, signal) {
      const answer = await api.call({
        method: 'DELETE',
        path: pathOf(resource, namespace, name),
        // In the background: what hangs below it goes too, and we wait for that by looking.
        query: { propagationPolicy: 'Background' },
        signal,
      });
      return answer.status !== 404;
    },

    async scale(deployment, replicas, signal) {
      await api.call({
        method: 'PATCH',
        path: `${pathOf(DEPLOYMENT, namespace, deployment)}/scale`,
        query: { fieldManager: FIELD_MANAGER },
        json: { spec: { replicas } },
        contentType: 'application/merge-patch+json',
        signal,
        repeatable: true,
      });
    },

    async patch(deployment, change, signal) {
      await api.call({
        method: 'PATCH',
        path: pathOf(DEPLOYMENT, namespace, deployment),
        query: { fieldManager: FIELD_MANAGER },
        json: change,
        contentType: 'application/merge-patch+json',
        signal,
        repeatable: true,
      });
    },

    async instantiateBinary(buildConfig, source, signal) {
      const path = `${pathOf(BUILD_CONFIG, namespace, buildConfig)}/instantiatebinary`;
      const answer = await api.call({
        method: 'POST',
        path,
        query: { name: buildConfig, namespace },
        body: source,
        contentType: 'application/octet-stream',
        timeoutMs: UPLOAD_TIMEOUT_MS,
        signal,
      });
      return decode(buildSchema, answer, path);
    },

    async log(resource, name, query, signal) {
      const path = `${pathOf(resource, namespace, name)}/log`;
      try {
        const answer = await api.call({ method: 'GET', path, query, signal });
        return answer.status === 404 ? undefined : answer.text;
      } catch (error) {
        // A log that cannot be had (no pod yet, container waiting) must not hide what it was wanted for.
        if (signal.aborted) throw error;
        return undefined;
      }
    },

    life: auth.life,

    async close() {
      await login.close();
      await api.close();
    },
  };
}

function pageSchema<T>(item: ZodType<T>) {
  return z.object({
    metadata: z
      .object({ continue: z.string().optional(), resourceVersion: z.string().default('') })
      .prefault({}),
    items: z
      .array(item)
      .nullish()
      .transform((items) => items ?? []),
  });
}
