import { type Answer, type Foundation, type Json, send, shop, zip } from '../foundation.ts';
import type { TracedRequest } from './trace.ts';

const GUID = '(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[a-z]+-guid)';
const IN_PATH = new RegExp(`/v3/([a-z_]+)/${GUID}`, 'g');
const IN_QUERY = new RegExp(`\\b([a-z]+)_guids=${GUID}`, 'g');
const IN_LOG = new RegExp(`/api/v1/read/${GUID}`);
const IN_BODY = new RegExp(`"(app|package|droplet)":\\{(?:"data":\\{)?"guid":"${GUID}"`, 'g');

/** A recording sent again to a foundation, as the client would: guids are those the last answers told. */
export interface Replay {
  /** Sends it, and where the client waits for something, until that is so. */
  send(request: TracedRequest): Promise<Answer>;
  /** Every status a deployment was seen in, in order: `rolling ACTIVE/DEPLOYING`, `canary ACTIVE/PAUSED step 1`. */
  readonly deployments: readonly string[];
}

export function createReplay(foundation: Foundation): Replay {
  const { call, until, cf } = foundation;
  /** Collection → the guid a client was told last. */
  const last: Record<string, string> = {};
  const deployments: string[] = [];
  let links: Json;

  function guid(collection: string): string {
    const known = last[collection];
    if (known === undefined) throw new Error(`the recording uses one of ${collection} before any was told`);
    return known;
  }

  function pathOf(path: string): string {
    return path
      .replace(IN_PATH, (_, collection: string) => `/v3/${collection}/${guid(collection)}`)
      .replace(IN_QUERY, (_, one: string) => `${one}_guids=${guid(`${one}s`)}`)
      .replace(IN_LOG, () => `/api/v1/read/${guid('apps')}`);
  }

  function bodyOf({ path, body }: TracedRequest): string | undefined {
    if (path.endsWith('/relationships/current_droplet')) {
      return JSON.stringify({ data: { guid: guid('droplets') } });
    }
    if (path === '/oauth/token') return login(body ?? '');
    return body?.replace(IN_BODY, (found, one: string) =>
      found.replace(new RegExp(`${GUID}"$`), `${guid(`${one}s`)}"`),
    );
  }

  /** The recording has the secrets of another foundation, and stars for the password. */
  function login(recorded: string): string {
    const form = new URLSearchParams(recorded);
    const { username, password, clientId, clientSecret } = cf.credentials;
    if (form.has('username')) form.set('username', username);
    if (form.has('password')) form.set('password', password);
    if (form.has('client_id')) form.set('client_id', clientId);
    if (form.has('client_secret')) form.set('client_secret', clientSecret);
    return form.toString();
  }

  async function once(request: TracedRequest): Promise<Answer> {
    const path = pathOf(request.path);
    links ??= (await send('GET', cf.apiUrl, {})).body.links;
    if (path === '/login') return send('GET', `${links.login.href}/login`, { accept: 'application/json' });
    if (path === '/oauth/token') {
      const basic = (request.body ?? '').includes('grant_type=password')
        ? { authorization: 'Basic Y2Y6' }
        : {};
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...basic };
      return send('POST', `${links.login.href}/oauth/token`, headers, bodyOf(request));
    }
    if (path.startsWith('/api/v1/')) return call('GET', `${links.log_cache.href}${path}`);
    if (path.endsWith('/upload')) return foundation.uploadBits(path, 'package.zip', await zip(shop('v1')));
    const headers = request.contentType === undefined ? {} : { 'content-type': request.contentType };
    return call(request.method, path, bodyOf(request), headers);
  }

  function learn({ path }: TracedRequest, answer: Answer): void {
    const { body, headers } = answer;
    const job = /\/v3\/jobs\/([^/]+)$/.exec(String(headers.location ?? ''))?.[1];
    if (job !== undefined) last['jobs'] = job;
    const collection = /^\/v3\/(?:apps\/[^/]+\/)?([a-z_]+)(?:\?|$)/.exec(path)?.[1];
    const told = body?.guid ?? body?.resources?.at(-1)?.guid;
    if (collection !== undefined && told !== undefined) last[collection] = told;
    if (body?.droplet?.guid !== undefined) last['droplets'] = body.droplet.guid;
    if (/^\/v3\/deployments\/[^/?]+$/.test(path)) {
      const step = body.status.canary?.steps?.current;
      const seen = `${body.strategy} ${body.status.value}/${body.status.reason}${step === undefined ? '' : ` step ${step}`}`;
      if (deployments.at(-1) !== seen) deployments.push(seen);
    }
  }

  return {
    deployments,
    async send(request) {
      const waits = request.method === 'GET' ? awaited(request.path) : undefined;
      async function look(): Promise<Answer | false> {
        const answer = await once(request);
        learn(request, answer);
        return !waits || answer.status !== 200 || waits(answer.body) ? answer : false;
      }
      return until(`${request.method} ${request.path}`, look);
    },
  };
}

/** What the client asks for again and again, and when it stops. */
function awaited(path: string): ((body: Json) => boolean) | undefined {
  if (/^\/v3\/jobs\//.test(path)) return ({ state }) => state === 'COMPLETE' || state === 'FAILED';
  if (/^\/v3\/packages\/[^/]+$/.test(path)) return ({ state }) => state === 'READY' || state === 'FAILED';
  if (/^\/v3\/builds\/[^/]+$/.test(path)) return ({ state }) => state !== 'STAGING';
  if (/^\/v3\/deployments\/[^/?]+$/.test(path)) {
    return ({ status }) => status.value === 'FINALIZED' || status.reason === 'PAUSED';
  }
  if (path.endsWith('/stats')) {
    return ({ resources }) => resources.some(({ state }: Json) => state === 'RUNNING');
  }
  return undefined;
}
