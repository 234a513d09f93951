import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZipFile } from 'yazl';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
  type LocalCloudFoundryOptions,
} from '../../../../providers/cloudfoundry/local/server.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { seededRandom } from '../../../../src/lib/random.ts';
import { createRunner } from '../../../../src/runner/runner.ts';

/** A JSON document of unknown shape: tests reach into it and fail where it is not as they say. */
// biome-ignore lint/suspicious/noExplicitAny: the wire is what these tests look at.
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  readonly body: Json;
}

/** A client as anybody would write one: it knows the public API and nothing of the server's insides. */
export interface Foundation {
  readonly cf: LocalCloudFoundry;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  token(): Promise<string>;
  login(): Promise<void>;
  /** Sends through the router. */
  get(host: string, path?: string, headers?: Record<string, string>): Promise<Answer>;
  spaceGuid(): Promise<string>;
  createApp(name: string, extra?: object): Promise<Json>;
  upload(packageGuid: string, files: Readonly<Record<string, string>>): Promise<Answer>;
  /** As `upload`, whatever it is and wherever it goes. */
  uploadBits(path: string, filename: string, bits: Buffer, resources?: string): Promise<Answer>;
  /** App → package → build → droplet; answers the droplet's guid. */
  stage(appGuid: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** All the way to a started app with a route. */
  push(name: string, files: Readonly<Record<string, string>>, instances?: number): Promise<Json>;
  mapRoute(appGuid: string, host: string, path?: string): Promise<Json>;
  job(answer: Answer): Promise<Json>;
  until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T>;
  close(): Promise<void>;
}

export async function startFoundation(options: Partial<LocalCloudFoundryOptions> = {}): Promise<Foundation> {
  const dir = await mkdtemp(join(tmpdir(), 'local-cf-'));
  const runner = createRunner({ clock: systemClock, random: seededRandom(1) });
  const cf = createLocalCloudFoundry({
    dir,
    runner,
    clock: systemClock,
    random: seededRandom(1),
    speed: 0.05,
    ...options,
  });
  await cf.start();
  let bearer = '';

  function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const url = path.startsWith('http') ? path : `${cf.apiUrl}${path}`;
    const raw = Buffer.isBuffer(body) || typeof body === 'string';
    return send(
      method,
      url,
      {
        ...(bearer === '' ? {} : { authorization: `bearer ${bearer}` }),
        ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body === undefined ? undefined : raw ? body : JSON.stringify(body),
    );
  }

  async function token(): Promise<string> {
    const root = await send('GET', cf.apiUrl, {});
    const form = new URLSearchParams({
      grant_type: 'password',
      username: cf.credentials.username,
      password: cf.credentials.password,
    });
    const answer = await send(
      'POST',
      `${root.body.links.uaa.href}/oauth/token`,
      { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic Y2Y6' },
      form.toString(),
    );
    return answer.body.access_token;
  }

  async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const giveUp = systemClock.monotonic() + 10_000;
    while (systemClock.monotonic() < giveUp) {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      await systemClock.sleep(15);
    }
    throw new Error(`waited 10 s in vain for ${what}`);
  }

  async function spaceGuid(): Promise<string> {
    const organizations = await call('GET', `/v3/organizations?names=${cf.organization}`);
    const organization = organizations.body.resources[0].guid;
    const spaces = await call('GET', `/v3/spaces?names=${cf.space}&organization_guids=${organization}`);
    return spaces.body.resources[0].guid;
  }

  async function upload(packageGuid: string, files: Readonly<Record<string, string>>): Promise<Answer> {
    return uploadBits(`/v3/packages/${packageGuid}/upload`, 'package.zip', await zip(files));
  }

  function uploadBits(path: string, filename: string, bits: Buffer, resources = '[]'): Promise<Answer> {
    const boundary = 'a-boundary';
    const body = Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="resources"\r\n\r\n${resources}\r\n--${boundary}\r\n` +
          `Content-Disposition: form-data; name="bits"; filename="${filename}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      bits,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    return call('POST', path, body, { 'content-type': `multipart/form-data; boundary=${boundary}` });
  }

  async function stage(appGuid: string, files: Readonly<Record<string, string>>): Promise<string> {
    const bundle = await call('POST', '/v3/packages', {
      type: 'bits',
      relationships: { app: { data: { guid: appGuid } } },
    });
    await upload(bundle.body.guid, files);
    await until('the package', async () => {
      const { body } = await call('GET', `/v3/packages/${bundle.body.guid}`);
      return body.state === 'READY';
    });
    const build = await call('POST', '/v3/builds', { package: { guid: bundle.body.guid } });
    const done = await until('the build', async () => {
      const { body } = await call('GET', `/v3/builds/${build.body.guid}`);
      if (body.state === 'FAILED') throw new Error(body.error);
      return body.state === 'STAGED' && body;
    });
    return done.droplet.guid;
  }

  async function createApp(name: string, extra: object = {}): Promise<Json> {
    const space = { data: { guid: await spaceGuid() } };
    const answer = await call('POST', '/v3/apps', { name, relationships: { space }, ...extra });
    return answer.body;
  }

  async function mapRoute(appGuid: string, host: string, path?: string): Promise<Json> {
    const domains = await call('GET', `/v3/domains?names=${cf.domain}`);
    const route = await call('POST', '/v3/routes', {
      host,
      ...(path === undefined ? {} : { path }),
      relationships: {
        space: { data: { guid: await spaceGuid() } },
        domain: { data: { guid: domains.body.resources[0].guid } },
      },
    });
    await call('POST', `/v3/routes/${route.body.guid}/destinations`, {
      destinations: [{ app: { guid: appGuid } }],
    });
    return route.body;
  }

  async function push(name: string, files: Readonly<Record<string, string>>, instances = 1): Promise<Json> {
    const app = await createApp(name);
    const droplet = await stage(app.guid, files);
    await call('PATCH', `/v3/apps/${app.guid}/relationships/current_droplet`, { data: { guid: droplet } });
    if (instances !== 1) {
      await call('POST', `/v3/apps/${app.guid}/processes/web/actions/scale`, { instances });
    }
    await mapRoute(app.guid, name);
    await call('POST', `/v3/apps/${app.guid}/actions/start`);
    await until('all instances', async () => {
      const { body } = await call('GET', `/v3/apps/${app.guid}/processes/web/stats`);
      return body.resources.every((one: Json) => one.state === 'RUNNING' && one.routable);
    });
    await until('the route', async () => {
      const answer = await get(name);
      return answer.headers['x-cf-routererror'] === undefined;
    });
    return app;
  }

  function get(host: string, path = '/', headers: Record<string, string> = {}): Promise<Answer> {
    return send('GET', `${cf.routerUrl}${path}`, { host: `${host}.${cf.domain}`, ...headers });
  }

  const foundation: Foundation = {
    cf,
    call,
    token,
    get,
    until,
    upload,
    uploadBits,
    stage,
    push,
    createApp,
    mapRoute,
    spaceGuid,
    async login() {
      bearer = await token();
    },
    job: (answer) =>
      until('the job', async () => {
        const { body } = await call('GET', String(answer.headers.location));
        return !['PROCESSING', 'POLLING'].includes(body.state) && body;
      }),
    async close() {
      await cf.close();
      await runner.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  await foundation.login();
  return foundation;
}

export function send(
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: string | Buffer,
  signal?: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = httpRequest(
      url,
      { method, headers: { ...length, ...headers }, agent: false, ...(signal ? { signal } : {}) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            bytes,
            body: parse(text),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function zip(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [path, content] of Object.entries(files)) archive.addBuffer(Buffer.from(content), path);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** An app that tells which version and instance answers, echoes bodies and crashes on demand. */
export function shop(version: string): Record<string, string> {
  return {
    'package.json': JSON.stringify({ name: 'shop', scripts: { start: 'node server.js' } }),
    'server.js': `
      import('node:http').then((http) => {
        const server = http.createServer((req, res) => {
          if (req.url === '/crash') process.exit(3);
          if (req.url === '/session') res.setHeader('set-cookie', 'JSESSIONID=abc; Secure');
          if (req.url === '/close') return res.end('closing', () => { server.close(); server.closeAllConnections(); });
          if (req.url === '/env') return res.end(JSON.stringify(process.env));
          if (req.url === '/headers') return res.end(JSON.stringify(req.headers));
          if (req.url === '/echo') return req.pipe(res);
          res.setHeader('x-version', '${version}');
          res.end(JSON.stringify({ version: '${version}', index: process.env.CF_INSTANCE_INDEX, release: process.env.SLUICE_RELEASE }));
        });
        server.on('upgrade', (req, socket, head) => {
          socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n');
          socket.pipe(socket);
        });
        server.listen(process.env.PORT, () => console.log('shop ${version} listens'));
        process.on('SIGTERM', () => server.close(() => process.exit(0)));
      });
    `,
  };
}
