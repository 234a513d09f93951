import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../providers/cloudfoundry/local/server.ts';
import { createLocalOpenShift, type LocalOpenShift } from '../../providers/openshift/local/server.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createHost } from '../../src/runner/host.ts';
import { createRunner } from '../../src/runner/runner.ts';

/** The three kinds of platform on this machine, with a small application to bring to them. */
export interface LocalWorld {
  readonly dir: string;
  readonly cf: LocalCloudFoundry;
  readonly ocp: LocalOpenShift;
  readonly env: Readonly<Record<string, string>>;
  /** The application as it is from now on: another content, another release. `fails`: part of its answers. */
  write(content: string, fails?: number): Promise<void>;
  close(): Promise<void>;
}

export interface LocalWorldOptions {
  /** Of the local platforms; 1 as people watch it. */
  readonly speed: number;
  readonly instances: number;
  /** Of the application. */
  readonly deploy: string;
  /** `cf-2`: a second Cloud Foundry. */
  readonly foundations?: 1 | 2;
  /** Stands before a platform's API; given and taken: its address. */
  readonly before?: (platform: string, address: string) => Promise<string>;
  /** A migration: what it runs. */
  readonly migrate?: string;
  /** More lines of sluice.yaml. */
  readonly more?: string;
}

function server(content: string, fails: number): string {
  return `import { createServer } from 'node:http';
// ${content}
const { SLUICE_RELEASE = 'none', SLUICE_PLATFORM = 'none', PORT } = process.env;
const server = createServer((request, response) => {
  response.setHeader('x-release', SLUICE_RELEASE);
  response.setHeader('x-platform', SLUICE_PLATFORM);
  if (request.url !== '/healthz' && Math.random() < ${fails}) response.statusCode = 500;
  response.end('served\\n');
});
server.listen(Number(PORT));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;
}

const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };

export async function openLocalWorld(options: LocalWorldOptions): Promise<LocalWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-local-'));
  const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true, maxRetries: 5 })];
  async function close(): Promise<void> {
    for (const step of undo.splice(0).reverse()) await step();
  }
  try {
    return await open(dir, options, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  dir: string,
  options: LocalWorldOptions,
  undo: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<LocalWorld> {
  const { speed, before = async (_platform, address) => address } = options;
  const runner = createRunner(deps);
  undo.push(() => runner.close());
  const cf = createLocalCloudFoundry({ ...deps, dir: join(dir, 'cf'), runner, speed });
  const ocp = createLocalOpenShift({ ...deps, dir: join(dir, 'ocp'), runner, speed });
  const socket = join(dir, 'host.sock');
  const host = createHost({ ...deps, socket, stateDir: join(dir, 'host'), onOwnerExit: 'kill' });
  const second =
    options.foundations === 2
      ? createLocalCloudFoundry({
          ...deps,
          dir: join(dir, 'cf-2'),
          runner,
          speed,
          domain: 'apps.cf2.localhost',
        })
      : undefined;
  for (const platform of [cf, ocp, host, ...(second ? [second] : [])]) {
    await platform.start();
    undo.push(() => platform.close());
  }
  await mkdir(join(dir, 'shop'));
  await writeFile(join(dir, 'shop/package.json'), '{"type":"module","scripts":{"start":"node server.js"}}');
  const blocks = [
    foundation('cf', 'CF_PASSWORD', cf, await before('cf', cf.apiUrl)),
    ...(second ? [foundation('cf-2', 'CF2_PASSWORD', second, await before('cf-2', second.apiUrl))] : []),
    `  ocp:
    provider: openshift
    api: ${await before('ocp', ocp.apiUrl)}
    router: ${ocp.routerUrl}
    namespace: shop
    credentials: { token: "\${OCP_TOKEN}" }`,
    `  rack: { provider: selfhosted, driver: process, socket: ${await before('rack', socket)} }`,
  ];
  const targets = ['cf', ...(second ? ['cf-2'] : []), 'ocp', 'rack'].map((name) => `${name}: {}`).join(', ');
  await writeFile(
    join(dir, 'sluice.yaml'),
    `version: 1
platforms:
${blocks.join('\n')}
applications:
  shop:
    source: ./shop
    command: node server.js
    instances: ${options.instances}
    memory: 64Mi
    health: { path: /healthz, timeout: 2s, rise: 1, release: { header: x-release } }
    targets: { ${targets} }
    deploy: ${options.deploy}${options.migrate === undefined ? '' : `\n    tasks: { migrate: { command: ${JSON.stringify(options.migrate)}, when: release, timeout: 60s } }`}
${options.more ?? 'gateway: { admin: { port: 1 } }'}
`,
  );
  return {
    ...{ dir, cf, ocp, close },
    env: {
      CF_PASSWORD: cf.credentials.password,
      CF2_PASSWORD: second?.credentials.password ?? '',
      OCP_TOKEN: ocp.token,
    },
    write: (content, fails = 0) => writeFile(join(dir, 'shop/server.js'), server(content, fails)),
  };
}

function foundation(name: string, password: string, cf: LocalCloudFoundry, api: string): string {
  return `  ${name}:
    provider: cloudfoundry
    api: ${api}
    router: ${cf.routerUrl}
    org: ${cf.organization}
    space: ${cf.space}
    domain: ${cf.domain}
    credentials: { username: admin, password: "\${${password}}" }`;
}
