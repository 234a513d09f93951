import { Agent, request } from 'undici';
import type { LocalWorld } from '../support/local-world.ts';

/** Everything the platforms hold of the application, by kind: what a person would find there. */
export type Holdings = Readonly<Record<string, number>>;

/** Asks the platforms themselves and none of our own code. */
export async function whatIsThere({ cf, ocp, dir }: LocalWorld): Promise<Holdings> {
  const held: Record<string, number> = {};
  const token = await cfToken(cf);
  for (const kind of ['apps', 'routes', 'packages', 'droplets', 'deployments?status_values=ACTIVE'])
    held[`cf ${kind.split('?')[0]}`] = await count(`${cf.apiUrl}/v3/${kind}`, token, totalOf);
  const project = `namespaces/shop`;
  for (const path of [
    `apis/apps/v1/${project}/deployments`,
    `apis/build.openshift.io/v1/${project}/buildconfigs`,
    `apis/image.openshift.io/v1/${project}/imagestreams`,
    `apis/route.openshift.io/v1/${project}/routes`,
    `api/v1/${project}/services`,
    `api/v1/${project}/pods`,
  ])
    held[`ocp ${path.split('/').at(-1)}`] = await count(`${ocp.apiUrl}/${path}`, ocp.token, itemsOf);
  const dispatcher = new Agent({ connect: { socketPath: `${dir}/host.sock` } });
  const answer = await request('http://host/v1/applications/shop', { dispatcher });
  const { releases = [] } = (await answer.body.json()) as { releases?: { instances?: unknown[] }[] };
  await dispatcher.close();
  held['rack releases'] = releases.length;
  held['rack instances'] = releases.reduce((sum, { instances = [] }) => sum + instances.length, 0);
  return held;
}

async function cfToken({ apiUrl, credentials }: LocalWorld['cf']): Promise<string> {
  const root = await request(apiUrl);
  const { links } = (await root.body.json()) as { links: { login: { href: string } } };
  const { username, password } = credentials;
  const answer = await request(`${links.login.href}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('cf:')}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'password', username, password }).toString(),
  });
  const { access_token: token } = (await answer.body.json()) as { access_token: string };
  return token;
}

async function count(url: string, token: string, of: (answer: unknown) => number): Promise<number> {
  const answer = await request(url, { headers: { authorization: `Bearer ${token}` } });
  const body = await answer.body.json();
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${JSON.stringify(body)}`);
  return of(body);
}

const totalOf = (answer: unknown) =>
  (answer as { pagination: { total_results: number } }).pagination.total_results;
const itemsOf = (answer: unknown) => (answer as { items: unknown[] }).items.length;
