import { setMaxListeners } from 'node:events';
import { rootCertificates } from 'node:tls';
import type { z } from 'zod';
import { hasClass, platformError, type SluiceError } from '../../src/core/errors.ts';
import type { ProviderDeps } from '../../src/core/provider.ts';
import { type ApiAnswer, type ApiCall, type ApiClient, createApiClient } from '../../src/lib/api-client.ts';
import { type Auth, uaaAuth, uaaErrorOf } from './auth.ts';
import type { Options, UaaCredentials } from './config.ts';
import { errorOf, isAlreadyUploaded } from './errors.ts';
import { carries, isUnknownParameter } from './label-filter.ts';
import { accountOf, isUaa, kubernetesAuth, refuseOtherLogin } from './login.ts';
import { createMissing, isUnknownEndpoint } from './missing.ts';
import { abortable, once } from './shared-work.ts';
import {
  type Domain,
  decode,
  domainSchema,
  namedSchema,
  pageSchema,
  type Root,
  rootSchema,
  whoAmISchema,
} from './wire.ts';

/** Calls per second at most; a foundation's usual limit is 20000 an hour, so bursts are fine and long ones are not. */
const RATE_PER_SECOND = 40;
/** How often a create is tried when its answer was lost; between tries we look whether it happened after all. */
const CREATE_ATTEMPTS = 3;

/** One connection to one Cloud Foundry: addresses, token, space; shared by all calls of a provider. */
interface CloudFoundryClient {
  /** Calls that end when the signal does. */
  session(signal: AbortSignal): Session;
  close(): Promise<void>;
}

type Json = Readonly<Record<string, unknown>>;
type Query = Readonly<Record<string, string | number | undefined>>;

export interface Session {
  readonly platform: string;
  readonly signal: AbortSignal;
  /** `GET /` of the API, asked anew. */
  root(): Promise<Root>;
  identity(): Promise<string>;
  spaceGuid(): Promise<string>;
  /** All domains the space may use; read once. */
  domains(): Promise<readonly Domain[]>;
  get<T>(path: string, schema: z.ZodType<T>, query?: Query): Promise<T>;
  /** As `get`, and undefined where there is none. */
  find<T>(path: string, schema: z.ZodType<T>, query?: Query): Promise<T | undefined>;
  /** All pages. */
  list<T>(path: string, schema: z.ZodType<T>, query?: Query): Promise<readonly T[]>;
  /** Makes something, unless `find` has it already; a lost answer to the making is no harm. */
  findOrCreate<T>(
    find: () => Promise<T | undefined>,
    path: string,
    schema: z.ZodType<T>,
    json: Json,
  ): Promise<T>;
  /** What the API redirects to, which needs no token: it is read as it comes, and not for longer than `read` takes. */
  download<T>(path: string, read: (body: AsyncIterable<Buffer>) => Promise<T>): Promise<T>;
  /** For what may be done twice with the effect of once. */
  post(path: string, json?: Json): Promise<ApiAnswer>;
  patch(path: string, json: Json): Promise<ApiAnswer>;
  /** The guid of the job that removes it; undefined when it was gone already. */
  remove(path: string): Promise<string | undefined>;
  /** What the API says to a manifest that it is not to apply. */
  compare<T>(path: string, manifest: Json, schema: z.ZodType<T>): Promise<T>;
  /** The guid of the job that applies it. */
  manifest(path: string, manifest: Json): Promise<string | undefined>;
  /** Bits are taken once: that the same ones are there already is as good. */
  upload(path: string, form: NonNullable<ApiCall['body']>): Promise<void>;
  /** As `get`, on log-cache; undefined where the platform has none. */
  logCache<T>(path: string, schema: z.ZodType<T>, query: Query): Promise<T | undefined>;
}

export function createClient(deps: ProviderDeps<Options>): CloudFoundryClient {
  const { platform, options, clock, random } = deps;
  const clients: ApiClient[] = [];
  const domains = once(readDomains);
  const spaceGuid = once(readSpace);
  const discovery = once(readRoot);
  const logCache = once(openLogCache);
  const missing = createMissing(clock);
  const withoutLabels = new Set<string>();
  const auth = openAuth();

  const strangers = open(options.api, { headers: async () => ({}), errorOf: refusal, account: '' });
  const api = open(options.api, authorised());

  function refusal(answer: ApiAnswer, call: ApiCall): SluiceError {
    const error = errorOf(platform, clock.now(), answer, call);
    if (isUnknownEndpoint(answer)) missing.learn(call, error);
    return error;
  }

  function open(
    baseUrl: string,
    how: Pick<Parameters<typeof createApiClient>[0], 'headers' | 'onUnauthorized' | 'errorOf' | 'account'>,
  ): ApiClient {
    const client = createApiClient({
      platform,
      baseUrl,
      ca: options.ca,
      random,
      ratePerSecond: RATE_PER_SECOND,
      budgets: deps.budgets,
      ...how,
    });
    clients.push(client);
    return client;
  }

  function authorised() {
    return {
      account: accountOf(options.credentials),
      headers: async () => ({ authorization: await auth.header() }),
      onUnauthorized: () => auth.renew(),
      errorOf: refusal,
    };
  }

  async function readRoot(): Promise<Root> {
    const answer = await strangers.call({ method: 'GET', path: '/' });
    return decode(rootSchema, answer.json, platform, 'GET /');
  }

  function openAuth(): Auth {
    const { credentials } = options;
    if (isUaa(credentials))
      return uaaAuth({ platform, credentials, clock, uaa: once(() => openUaa(credentials)) });
    return kubernetesAuth({
      platform,
      credentials,
      clock,
      fits: async () => refuseOtherLogin(platform, options, await discovery()),
      async whoAmI() {
        const answer = await api.call({ method: 'GET', path: '/whoami' });
        return decode(whoAmISchema, answer.json, platform, 'GET /whoami').name;
      },
    });
  }

  async function openUaa(credentials: UaaCredentials): Promise<ApiClient> {
    const root = await discovery();
    refuseOtherLogin(platform, options, root);
    const { links } = root;
    const href = links.login?.href ?? links.uaa?.href;
    if (href === undefined) {
      throw platformError('unsupported', platform, 'the API names no place to log in', {
        why: `${options.api}/ has neither a login nor a uaa link`,
        remedy: 'foundations with other logins than UAA are not supported',
      });
    }
    return open(href, {
      headers: async () => ({}),
      errorOf: (answer) => uaaErrorOf(platform, credentials, clock.now(), answer),
    });
  }

  async function openLogCache(): Promise<ApiClient | undefined> {
    const href = (await discovery()).links.log_cache?.href;
    return href === undefined ? undefined : open(href, authorised());
  }

  async function readSpace(): Promise<string> {
    const signal = new AbortController().signal;
    const org = await one(
      '/v3/organizations',
      { names: escaped(options.org) },
      `organization ${options.org}`,
    );
    return one(
      '/v3/spaces',
      { names: escaped(options.space), organization_guids: org },
      `space ${options.space} in organization ${options.org}`,
    );

    async function one(path: string, query: Query, what: string): Promise<string> {
      const [found] = await session(signal).list(path, namedSchema, query);
      if (found) return found.guid;
      const us = await auth.identity();
      throw platformError('notFound', platform, `there is no ${what}, or we may not see it`, {
        why: `${us} asked for ${what}, and the list was empty`,
        remedy: `check org and space of platform ${platform}, and that ${us} is SpaceDeveloper there`,
      });
    }
  }

  function readDomains(): Promise<readonly Domain[]> {
    return session(new AbortController().signal).list('/v3/domains', domainSchema, { per_page: 1000 });
  }

  function session(signal: AbortSignal): Session {
    // Each call of an observation listens to it in several places at once; more than ten are no leak here.
    setMaxListeners(100, signal);

    async function call(request: ApiCall): Promise<ApiAnswer> {
      const known = missing.known(request);
      if (known !== undefined) throw known;
      // Outside of the client's retries: a caller that gives up must not wait for a slow login.
      await abortable(auth.header(), signal);
      return abortable(api.call({ signal, ...request }), signal);
    }

    /** JSON is YAML, and the content type must say so. */
    function yaml(path: string, manifest: Json): Promise<ApiAnswer> {
      const body = Buffer.from(JSON.stringify(manifest));
      const contentType = 'application/x-yaml';
      return call({ method: 'POST', path, body, contentType, repeatable: true });
    }

    async function get<T>(path: string, schema: z.ZodType<T>, query: Query = {}): Promise<T> {
      const answer = await call({ method: 'GET', path, query });
      return decode(schema, answer.json, platform, `GET ${path}`);
    }

    async function create<T>(path: string, schema: z.ZodType<T>, json: Json): Promise<T> {
      const answer = await call({ method: 'POST', path, json });
      return decode(schema, answer.json, platform, `POST ${path}`);
    }

    async function pages<T>(path: string, schema: z.ZodType<T>, query: Query): Promise<readonly T[]> {
      const all: T[] = [];
      let next: string | undefined = path;
      let parameters: Query = { per_page: 200, ...query };
      while (next !== undefined) {
        const part: { resources: T[]; pagination: { next?: { href: string } | null | undefined } } =
          await get(next, pageSchema(schema), parameters);
        all.push(...part.resources);
        // The link carries the whole query already.
        next = part.pagination.next?.href;
        parameters = {};
      }
      return all;
    }

    return {
      platform,
      signal,
      async root() {
        discovery.forget();
        return abortable(discovery(), signal);
      },
      identity: () => abortable(auth.identity(), signal),
      spaceGuid: () => abortable(spaceGuid(), signal),
      domains: () => abortable(domains(), signal),
      get,
      async find(path, schema, query) {
        try {
          return await get(path, schema, query);
        } catch (error) {
          if (hasClass(error, 'notFound')) return undefined;
          throw error;
        }
      },
      async list<T>(path: string, schema: z.ZodType<T>, query: Query = {}) {
        const { label_selector: selector, ...others } = query;
        if (typeof selector !== 'string') return pages(path, schema, query);
        if (!withoutLabels.has(path)) {
          try {
            return await pages(path, schema, query);
          } catch (error) {
            if (!isUnknownParameter(error, 'label_selector')) throw error;
            withoutLabels.add(path);
          }
        }
        return (await pages(path, schema, others)).filter((one) => carries(one, selector));
      },
      async findOrCreate(find, path, schema, json) {
        for (let attempt = 1; ; attempt++) {
          const found = await find();
          if (found !== undefined) return found;
          try {
            return await create(path, schema, json);
          } catch (error) {
            // A conflict here means that it exists: somebody was quicker, or our own lost attempt got through.
            const maybe = hasClass(error, 'unavailable', 'timeout', 'rateLimited', 'conflict');
            if (!maybe || attempt === CREATE_ATTEMPTS) throw error;
          }
        }
      },
      async download(path, read) {
        const { headers, status } = await call({ method: 'GET', path });
        const url = new URL(headers['location'] ?? '', options.api);
        if (headers['location'] === undefined) throw noRedirect(platform, path, status);
        // A blobstore has its own host and, as a rule, a well-known authority; it never gets our token.
        const ca = options.ca === undefined ? undefined : [...rootCertificates, options.ca].join('\n');
        const store = createApiClient({
          ...{ platform, baseUrl: url.origin, ca, random, errorOf: refusal },
          headers: async () => ({ accept: '*/*' }),
        });
        try {
          const found = await abortable(store.stream({ method: 'GET', path: url.href, signal }), signal);
          if (found === undefined) throw noRedirect(platform, path, status);
          return await read(found.body);
        } finally {
          await store.close();
        }
      },
      post: (path, json) => call({ method: 'POST', path, json: json ?? {}, repeatable: true }),
      patch: (path, json) => call({ method: 'PATCH', path, json, repeatable: true }),
      async remove(path) {
        try {
          const answer = await call({ method: 'DELETE', path });
          return answer.headers['location']?.split('/').pop();
        } catch (error) {
          if (hasClass(error, 'notFound')) return undefined;
          throw error;
        }
      },
      // Big bundles on slow lines take their time; the signal is the limit.
      manifest: async (path, manifest) => (await yaml(path, manifest)).headers['location']?.split('/').pop(),
      compare: async (path, manifest, schema) =>
        decode(schema, (await yaml(path, manifest)).json, platform, `POST ${path}`),
      async upload(path, body) {
        try {
          await call({ method: 'POST', path, body, repeatable: true, timeoutMs: 0 });
        } catch (error) {
          if (!isAlreadyUploaded(error)) throw error;
        }
      },
      async logCache(path, schema, query) {
        const client = await abortable(logCache(), signal);
        if (!client) return undefined;
        await abortable(auth.header(), signal);
        const answer = await abortable(client.call({ method: 'GET', path, query, signal }), signal);
        return decode(schema, answer.json, platform, `GET ${path}`);
      },
    };
  }

  return {
    session,
    async close() {
      for (const client of clients) await client.close();
    },
  };
}

function noRedirect(platform: string, path: string, status: number): SluiceError {
  return platformError('unsupported', platform, 'the API gives no place to download from', {
    why: `GET ${path} was answered ${status} without a Location`,
    remedy: 'leave out `buildOn`',
  });
}

/** Commas separate values in filters. */
export function escaped(value: string): string {
  return value.replaceAll(',', '%2C');
}
