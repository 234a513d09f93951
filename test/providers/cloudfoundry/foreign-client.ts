import type { LocalCloudFoundry } from '../../../providers/cloudfoundry/local/server.ts';
import { systemClock } from '../../../src/lib/clock.ts';

/** Somebody else with the right to work in our space. */
export interface ForeignClient {
  /** As their `cf push` would make it: without our stamp. */
  createApp(name: string): Promise<void>;
  /** As their `cf create-user-provided-service` would make it. */
  createInstance(name: string, credentials: Readonly<Record<string, string>>): Promise<void>;
  /** What runs now is deployed once more, by them; answers when it is under way. */
  redeploy(app: string): Promise<void>;
  get(path: string): Promise<Json>;
  /** A service key; the answer removes it again. */
  makeKey(instance: string, name: string): Promise<() => Promise<void>>;
}

export async function foreignClient(local: LocalCloudFoundry): Promise<ForeignClient> {
  const { username, password } = local.credentials;
  const root = await json(`${local.apiUrl}/`, {});
  const token = await json(`${root.links.login.href}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('cf:')}` },
    body: new URLSearchParams({ grant_type: 'password', username, password }),
  });
  const headers = { authorization: `bearer ${token.access_token}`, 'content-type': 'application/json' };

  function get(path: string): Promise<Json> {
    return json(`${local.apiUrl}${path}`, { headers });
  }

  function post(path: string, body: object): Promise<Json> {
    return json(`${local.apiUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async function settled(method: string, path: string, body?: object): Promise<void> {
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${local.apiUrl}${path}`, { ...init, keepalive: false });
    const job = answer.headers.get('location');
    if (answer.status !== 202 || job === null) throw new Error(`${path}: ${answer.status}`);
    for (;;) {
      const { state } = await json(job, { headers });
      if (state === 'COMPLETE') return;
      if (state === 'FAILED') throw new Error(`${path}: its job failed`);
      await systemClock.sleep(20);
    }
  }

  return {
    get,
    async makeKey(instance, name) {
      const found = await get(`/v3/service_instances?names=${instance}`);
      const relationships = { service_instance: { data: { guid: found.resources[0].guid } } };
      await settled('POST', '/v3/service_credential_bindings', { type: 'key', name, relationships });
      return async () => {
        const keys = await get(`/v3/service_credential_bindings?type=key&names=${name}`);
        await settled('DELETE', `/v3/service_credential_bindings/${keys.resources[0].guid}`);
      };
    },
    async createInstance(name, credentials) {
      const spaces = await get(`/v3/spaces?names=${local.space}`);
      const relationships = { space: { data: { guid: spaces.resources[0].guid } } };
      await post('/v3/service_instances', { type: 'user-provided', name, credentials, relationships });
    },
    async createApp(name) {
      const spaces = await get(`/v3/spaces?names=${local.space}`);
      const relationships = { space: { data: { guid: spaces.resources[0].guid } } };
      await post('/v3/apps', { name, relationships });
    },
    async redeploy(name) {
      const apps = await get(`/v3/apps?names=${name}`);
      const { guid } = apps.resources[0];
      const droplet = await get(`/v3/apps/${guid}/droplets/current`);
      await post('/v3/deployments', {
        droplet: { guid: droplet.guid },
        strategy: 'rolling',
        relationships: { app: { data: { guid } } },
      });
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the wire is what these tests look at.
type Json = any;

async function json(url: string, init: RequestInit): Promise<Json> {
  const answer = await fetch(url, { ...init, keepalive: false });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
