import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  type Api,
  appBundle,
  apply,
  build,
  client,
  deployment,
  isRolledOut,
  NS,
  paths,
  SERVICE,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';
import { differences, shapeOf } from './shape.ts';

const RECORDINGS = join(import.meta.dirname, '../../../../../shared/contracts/openshift');

interface Recording {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: unknown;
  };
}

/** In which the local one knowingly differs from the recorded control plane; a waiver nobody needs any more is a failure. */
const WAIVERS: readonly { readonly file: RegExp; readonly difference: RegExp; readonly why: string }[] = [
  {
    file: /./,
    difference: /managedFields/,
    why: 'managed fields are kept of clients only, not of controllers',
  },
  { file: /self-review/, difference: /userInfo\.uid$/, why: 'service accounts here have no uid in reviews' },
  {
    file: /ssar/,
    difference: /status\.reason$/,
    why: 'the recorded one was refused; ours is allowed and says by what',
  },
  {
    file: /18-pods/,
    difference: /\.(tolerations|priority|enableServiceLinks|preemptionPolicy|hostIPs)/,
    why: 'one node, nothing to schedule by',
  },
  {
    file: /25-ssa-force|66-delete/,
    difference: /status\.(unavailable|ready|available|updated)?[rR]eplicas$/,
    why: 'the controllers were at another point of their work',
  },
  { file: /endpointslices/, difference: /metadata\.annotations/, why: 'no last-change-trigger-time is kept' },
  {
    file: /zz-|12-build/,
    difference: /sourceStrategy\.env/,
    why: 'the recorded configuration set no environment',
  },
];

const used = new Set<number>();

function load(file: string): Recording {
  const recording: Recording = JSON.parse(readFileSync(join(RECORDINGS, `${file}.json`), 'utf8'));
  return recording;
}

const run = existsSync(RECORDINGS) ? describe : describe.skip;
if (!existsSync(RECORDINGS))
  console.log(`skipped the comparison with a real control plane: no recordings at ${RECORDINGS}`);

run('answers have the shape a real control plane gave', () => {
  let cluster: TestCluster;
  let api: Api;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
    image = await build(api, await appBundle());
    // Out of the way of the recorded names.
    for (const path of [paths.buildConfigs, paths.imageStreams])
      await api(`${path}/app`, { method: 'DELETE' });
  });
  afterAll(() => cluster.close());

  /** Recorded names become ours: the namespace, the images, the domain. */
  function translate<T>(value: T): T {
    const text = JSON.stringify(value)
      .replaceAll(/\b(gold|s2i|shop[345])\b/g, NS)
      .replaceAll(/nginx:\d/g, image)
      .replaceAll('apps.example.test', 'apps.ocp.localhost');
    return JSON.parse(text);
  }

  async function replay(file: string, token = cluster.openshift.token): Promise<Answer> {
    const { request, response } = load(file);
    const answer = await api(translate(request.path), {
      method: request.method,
      token: file.includes('no-token') ? undefined : token,
      type: request.headers['content-type'] ?? 'application/json',
      headers: { accept: request.headers['accept'] ?? '*/*', 'user-agent': 'node' },
      ...(request.body === undefined ? {} : { body: translate(request.body) }),
    });
    expect({ file, status: answer.status, type: answer.headers['content-type'] }).toEqual({
      file,
      status: response.status,
      type: response.headers['content-type'],
    });
    compare(file, answer, response.body);
    return answer;
  }

  function compare(file: string, answer: Answer, recorded: unknown): void {
    if (answer.body === undefined) {
      expect(answer.text).toBe(recorded);
      return;
    }
    if (answer.body.kind === 'Status') {
      // Errors are compared to the letter: clients and people read them.
      expect(
        JSON.parse(
          JSON.stringify(answer.body).replaceAll(`system:serviceaccount:${NS}:deployer`, 'developer'),
        ),
      ).toEqual(translate(recorded));
      return;
    }
    const left = differences(shapeOf(recorded), shapeOf(answer.body)).filter((difference) => {
      const index = WAIVERS.findIndex(
        (waiver) => waiver.file.test(file) && waiver.difference.test(difference),
      );
      if (index >= 0) used.add(index);
      return index < 0;
    });
    expect({ file, differences: left }).toEqual({ file, differences: [] });
  }

  it.each([
    'golden/01-no-token',
    'golden/04-version',
    'golden/05-readyz',
    'golden/10-self-review',
    'golden/11-ssar',
  ])('%s', async (file) => void (await replay(file)));

  it('golden/02-bad-token', async () => void (await replay('golden/02-bad-token', 'wrong')));

  it.each(['02-resources-build', '03-resources-image', '04-resources-route', '05-resources-project'])(
    'golden-openshift/%s: what we list is as listed there',
    async (name) => {
      const { request, response } = load(`golden-openshift/${name}`);
      const answer = await api(request.path);
      const theirs = new Map(
        (response.body as { resources: { name: string }[] }).resources.map((entry) => [entry.name, entry]),
      );
      for (const entry of answer.body.resources) {
        const { storageVersionHash: _, ...wanted } = { storageVersionHash: '', ...theirs.get(entry.name) };
        expect({ ...entry, verbs: [] }).toEqual({ ...wanted, verbs: [] });
      }
    },
  );

  it('a deployment from its first apply to its end', async () => {
    await replay('golden/12-deploy-ssa-create');
    await replay('golden/14-svc-ssa');
    await until(() => api(`${paths.deployments}/app`), isRolledOut);
    await replay('golden/16-deploy-ready');
    await replay('golden/18-pods');
    await replay('golden/19-rs');
    await replay('golden/20-endpointslices');
    await replay('golden/22-scale-get');
    await replay('golden/23-scale-merge');
    await replay('golden/24-ssa-conflict');
    await replay('golden/25-ssa-force');
    await until(() => api(`${paths.deployments}/app`), isRolledOut);
    await replay('golden/26-deploy-after-roll');
    await replay('golden/29-rollback-by-template');
    await until(() => api(`${paths.deployments}/app`), isRolledOut);
    await replay('golden/31-restart');
    await until(() => api(`${paths.deployments}/app`), isRolledOut);
    await replay('golden/32-pause');
    await replay('golden/33-unpause');
    for (const file of [
      '28-rollback-endpoint-gone',
      '38-notfound',
      '39-unknown-path',
      '40-method-na',
      '41-invalid',
      '42-strict-unknown-field',
      '44-selector-immutable',
      '62-metrics-absent',
      '67-delete-notfound',
    ]) {
      await replay(`golden/${file}`);
    }
    await replay('golden/60-sa-token');
    await replay('golden/66-delete-foreground');
  });

  it('a pod log read back, and the answer to a wrong container', async () => {
    const { status, headers } = load('golden-s2i/22-pod-log-read').response;
    await apply(api, paths.services, SERVICE);
    await apply(api, paths.deployments, { ...deployment(image), metadata: { name: 'logs' } });
    await until(() => api(`${paths.deployments}/logs`), isRolledOut);
    const [pod] = (await api(`${paths.pods}?labelSelector=app=app`)).body.items;
    const log = await api(`${paths.pods}/${pod.metadata.name}/log?tailLines=10`);
    expect([log.status, log.headers['content-type']]).toEqual([status, headers['content-type']]);
    const wrong = await api(`${paths.pods}/${pod.metadata.name}/log?container=nope`);
    expect(wrong.body.message).toBe(`container nope is not valid for pod ${pod.metadata.name}`);
    await api(`${paths.deployments}/logs`, { method: 'DELETE' });
  });

  it.each([
    '14-imagestream',
    '15-imagestream-get',
    '16-istag-missing',
    '17-buildconfig',
    '18-buildconfig-get',
    '20-buildconfig-ssa',
    '22-instantiatebinary-bad-method',
    '23-instantiatebinary-missing-bc',
    '11-projectrequest-allowed-check',
    '10-project-get',
    '39-route-nohost-generated',
    '45-route-bad-host',
    '46-route-passthrough-path',
    '47-route-weight',
    '48-route-subdomain',
  ])('golden-openshift/%s', async (name) => void (await replay(`golden-openshift/${name}`)));

  it.each(['12-route-defaulted-weight', '13-route-dup-backend', '14-route-4alt', '15-route-dryrun'])(
    'golden-openshift-routes/%s',
    async (name) => void (await replay(`golden-openshift-routes/${name}`)),
  );

  it('a binary build, answered while it runs and complete', async () => {
    const { request, response } = load('golden-s2i/zz-instantiatebinary-ok');
    const answer = await api(translate(request.path), {
      method: 'POST',
      type: 'application/octet-stream',
      body: await appBundle(),
    });
    expect(answer.status).toBe(response.status);
    compare('golden-s2i/zz-instantiatebinary-ok', answer, response.body);
    const name = answer.body.metadata.name;
    const done = await until(
      () => api(`${paths.builds}/${name}`),
      (found) => found.body.status.phase === 'Complete',
    );
    // The recorded builder pushed nothing, so it knew no digest.
    delete done.body.status.output.to;
    compare('golden-s2i/12-build-complete', done, load('golden-s2i/12-build-complete').response.body);
    await replay('golden-openshift/37-istag');
    await replay('golden-openshift/38-imagestream-with-status');
  });

  it('watches that come too late or too early', async () => {
    for (const file of ['golden-watch/10-watch-route-too-old', 'golden-watch/08-watch-future-rv']) {
      const { request, response } = load(file);
      const own = translate(request.path).replace('/v1/routes', `/v1/namespaces/${NS}/routes`);
      const answer = await api(own.replace('timeoutSeconds=2', 'timeoutSeconds=1'));
      expect(answer.status).toBe(response.status);
      const events = answer.text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      const recorded = Array.isArray(response.body) ? response.body : [];
      expect(events.map((event) => [event.type, event.object.code, event.object.reason])).toEqual(
        recorded.map((event) => [event.type, event.object.code, event.object.reason]),
      );
    }
  });

  it('has no waiver that nothing needs', () => {
    expect(WAIVERS.filter((_waiver, index) => !used.has(index)).map((waiver) => waiver.why)).toEqual([]);
  });
});
