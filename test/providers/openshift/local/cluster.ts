import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalOpenShift, type LocalOpenShift } from '../../../../providers/openshift/local/server.ts';
import type { Runner } from '../../../../src/core/runner.ts';
import { tarGzFiles } from '../../../../src/lib/archive.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { seededRandom } from '../../../../src/lib/random.ts';
import { createRunner } from '../../../../src/runner/runner.ts';

export interface TestCluster {
  readonly openshift: LocalOpenShift;
  readonly runner: Runner;
  close(): Promise<void>;
}

export async function startCluster(
  speed = 0.05,
  more: Pick<Parameters<typeof createLocalOpenShift>[0], 'mode' | 'foreignImages'> = {},
): Promise<TestCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-openshift-'));
  const random = seededRandom(7);
  const runner = createRunner({ clock: systemClock, random });
  const openshift = createLocalOpenShift({ dir, runner, clock: systemClock, random, speed, ...more });
  await openshift.start();
  return {
    openshift,
    runner,
    async close() {
      await openshift.close();
      await runner.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly httpVersion: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  // Wire answers are looked into freely by tests.
  // biome-ignore lint/suspicious/noExplicitAny: assertions are the check.
  readonly body: any;
}

export interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly token?: string | undefined;
}

/** One HTTP exchange on a connection of its own; JSON answers are parsed. */
export function call(url: string, options: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = options.body;
    const bytes =
      body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const outgoing = httpRequest(
      url,
      {
        method: options.method ?? 'GET',
        agent: false,
        headers: {
          ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
          ...(bytes === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
          ...options.headers,
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          const isJson = (response.headers['content-type'] ?? '').includes('json');
          resolve({
            status: response.statusCode ?? 0,
            httpVersion: response.httpVersion,
            headers: response.headers,
            text,
            body: isJson && text.startsWith('{') && !text.includes('}\n{') ? JSON.parse(text) : undefined,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

/** Bound to a cluster and its token. */
export function client(openshift: LocalOpenShift): (path: string, options?: Call) => Promise<Answer> {
  return (path, options = {}) => call(`${openshift.apiUrl}${path}`, { token: openshift.token, ...options });
}

export type Api = ReturnType<typeof client>;

/** Asks again until the answer holds; the last answer is in the error when it never does. */
export async function until(
  ask: () => Promise<Answer>,
  holds: (answer: Answer) => boolean,
  withinMs = 10_000,
): Promise<Answer> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => ({
      status: 0,
      httpVersion: '',
      headers: {},
      text: String(error),
      body: undefined,
    }));
    if (holds(answer)) return answer;
    if (performance.now() > end) throw new Error(`never came true; last: ${answer.status} ${answer.text}`);
    await systemClock.sleep(15);
  }
}

export const NS = 'shop';

export const paths = {
  imageStreams: `/apis/image.openshift.io/v1/namespaces/${NS}/imagestreams`,
  imageStreamTags: `/apis/image.openshift.io/v1/namespaces/${NS}/imagestreamtags`,
  buildConfigs: `/apis/build.openshift.io/v1/namespaces/${NS}/buildconfigs`,
  builds: `/apis/build.openshift.io/v1/namespaces/${NS}/builds`,
  deployments: `/apis/apps/v1/namespaces/${NS}/deployments`,
  replicaSets: `/apis/apps/v1/namespaces/${NS}/replicasets`,
  pods: `/api/v1/namespaces/${NS}/pods`,
  services: `/api/v1/namespaces/${NS}/services`,
  secrets: `/api/v1/namespaces/${NS}/secrets`,
  configMaps: `/api/v1/namespaces/${NS}/configmaps`,
  serviceAccounts: `/api/v1/namespaces/${NS}/serviceaccounts`,
  slices: `/apis/discovery.k8s.io/v1/namespaces/${NS}/endpointslices`,
  routes: `/apis/route.openshift.io/v1/namespaces/${NS}/routes`,
};

export function apply(api: Api, path: string, body: object, force = true): Promise<Answer> {
  const name = (body as { metadata: { name: string } }).metadata.name;
  return api(`${path}/${name}?fieldManager=test&force=${force}`, {
    method: 'PATCH',
    type: 'application/apply-patch+yaml',
    body,
  });
}

/** An application that answers with what it was told, knows sessions of nobody, and dies when asked to. */
export const SERVER = `
const http = require('node:http');
const crypto = require('node:crypto');
const server = http.createServer((req, res) => {
  if (req.url === '/die') process.exit(3);
  if (req.url === '/hang') return;
  if (req.url === '/cut') { req.socket.destroy(); return; }
  res.setHeader('x-release', process.env.SLUICE_RELEASE ?? '');
  let body = '';
  req.on('data', (part) => (body += part));
  req.on('end', () => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ host: process.env.HOSTNAME, env: process.env, url: req.url, raw: req.rawHeaders, body, pid: process.pid }));
  });
});
server.on('upgrade', (req, socket) => {
  const key = crypto.createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  socket.on('data', (data) => socket.write(data));
  socket.on('error', () => {});
});
process.on('SIGTERM', () => server.close(() => process.exit(0)) && server.closeAllConnections());
server.listen(process.env.PORT, () => console.log('listening on ' + process.env.PORT));
`;

export async function bundle(files: Record<string, string>): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
  try {
    for (const [path, text] of Object.entries(files)) await writeFile(join(dir, path), text);
    return await tarGzFiles(
      dir,
      Object.keys(files).map((path) => ({ path, mode: 0o644 })),
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export function appBundle(server = SERVER): Promise<Buffer> {
  return bundle({
    'package.json': JSON.stringify({ name: 'app', scripts: { start: 'node server.js' } }),
    'server.js': server,
  });
}

export async function prepareBuild(api: Api): Promise<void> {
  await until(
    () => api(`${paths.serviceAccounts}/builder`),
    (answer) => answer.status === 200,
  );
  await apply(api, paths.imageStreams, {
    apiVersion: 'image.openshift.io/v1',
    kind: 'ImageStream',
    metadata: { name: 'app' },
    spec: { lookupPolicy: { local: true } },
  });
  await apply(api, paths.buildConfigs, {
    apiVersion: 'build.openshift.io/v1',
    kind: 'BuildConfig',
    metadata: { name: 'app' },
    spec: {
      runPolicy: 'Serial',
      source: { type: 'Binary', binary: {} },
      strategy: {
        type: 'Source',
        sourceStrategy: { from: { kind: 'ImageStreamTag', name: 'nodejs:20', namespace: 'openshift' } },
      },
      output: { to: { kind: 'ImageStreamTag', name: 'app:latest' } },
    },
  });
}

export function upload(api: Api, archive: Buffer): Promise<Answer> {
  return api(`${paths.buildConfigs}/app/instantiatebinary?name=app&namespace=${NS}`, {
    method: 'POST',
    type: 'application/octet-stream',
    body: archive,
  });
}

/** Uploads, waits for the end and returns the pull reference by digest. */
export async function build(api: Api, archive: Buffer): Promise<string> {
  await prepareBuild(api);
  const started = await upload(api, archive);
  if (started.status !== 201) throw new Error(`upload: ${started.status} ${started.text}`);
  const done = await until(
    () => api(`${paths.builds}/${started.body.metadata.name}`),
    (answer) => answer.body.status.phase === 'Complete',
  );
  const stream = await api(`${paths.imageStreams}/app`);
  return `${stream.body.status.dockerImageRepository}@${done.body.status.output.to.imageDigest}`;
}

export function deployment(
  image: string,
  overrides: Record<string, unknown> = {},
  container: object = {},
): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app', labels: { app: 'app' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'app' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      ...overrides,
      template: {
        metadata: { labels: { app: 'app' } },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: 'app',
              image,
              env: [
                { name: 'PORT', value: '8080' },
                { name: 'SLUICE_RELEASE', value: 'r-0123456789' },
              ],
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
              lifecycle: { preStop: { exec: { command: ['sleep', '10'] } } },
              ...container,
            },
          ],
        },
      },
    },
  };
}

export const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'app' },
  spec: { selector: { app: 'app' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
};

export const ROUTE = {
  apiVersion: 'route.openshift.io/v1',
  kind: 'Route',
  metadata: { name: 'app' },
  spec: { to: { kind: 'Service', name: 'app', weight: 100 }, port: { targetPort: 'http' } },
};

export const HOST = `app-${NS}.apps.ocp.localhost`;

/** kubectl's rule for a finished rollout. */
export function isRolledOut(answer: Answer): boolean {
  const { metadata, spec, status } = answer.body ?? {};
  // Zeros are left out.
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  return (
    status?.observedGeneration === metadata?.generation &&
    updatedReplicas === spec?.replicas &&
    replicas === updatedReplicas &&
    availableReplicas === updatedReplicas
  );
}

/** Builds, deploys, exposes, and waits until the router answers. */
export async function deployApp(
  openshift: LocalOpenShift,
  api: Api,
  overrides: Record<string, unknown> = {},
): Promise<string> {
  const image = await build(api, await appBundle());
  await apply(api, paths.deployments, deployment(image, overrides));
  await apply(api, paths.services, SERVICE);
  await apply(api, paths.routes, ROUTE);
  await until(() => api(`${paths.deployments}/app`), isRolledOut);
  await until(
    () => call(openshift.routerUrl, { headers: { host: HOST } }),
    (answer) => answer.status === 200,
  );
  return image;
}
