import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { createLocalCloudFoundry } from '../../providers/cloudfoundry/local/server.ts';
import { createLocalOpenShift } from '../../providers/openshift/local/server.ts';
import { readConfiguration } from '../../src/app/configuration.ts';
import { type Controller, createController } from '../../src/app/controller.ts';
import { openProviders } from '../../src/app/orchestration.ts';
import { buildProgram } from '../../src/app/run-cli.ts';
import { runWorker } from '../../src/app/worker.ts';
import { formatCaught } from '../../src/cli/print-error.ts';
import type { ToSupervisor, ToWorker } from '../../src/core/messages.ts';
import type { PlatformProvider } from '../../src/core/provider.ts';
import type { ApplicationStatus, StatusView } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Fault } from '../../src/lib/faults.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createRunner } from '../../src/runner/runner.ts';
import { example } from './cli.ts';
import { fakeIo } from './fake-io.ts';

/** What one request through the gateway met. */
export interface Answer {
  readonly at: number;
  /** 0: none at all. */
  readonly status: number;
  readonly platform: string | undefined;
}

/** Two local platforms with an application on each, and a controller and a worker before them, all in this process. */
export interface LiveWorld {
  readonly answers: readonly Answer[];
  status(): Promise<StatusView>;
  shop(): Promise<ApplicationStatus>;
  /** The command line against the running server; what it printed. */
  sluice(args: readonly string[]): Promise<{ readonly status: number; readonly text: string }>;
  /** So that there is something to deploy. */
  changeSource(): Promise<void>;
  /** What the gateway's access log says of requests that were not answered with 200: why they ended so. */
  failures(): Promise<readonly string[]>;
  setFault(platform: LivePlatform, fault: Fault, on: boolean): void;
  /** Somebody else who may do there what we may. */
  stranger(platform: LivePlatform): PlatformProvider;
  readonly ocp: { readonly apiUrl: string; readonly token: string };
  close(): Promise<void>;
}

export type LivePlatform = 'cf' | 'ocp';

const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
const REQUEST_EVERY_MS = 25;

/** `more`: further lines of the application in sluice.yaml. */
export async function openLiveWorld(more: readonly string[] = []): Promise<LiveWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-live-'));
  const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true, maxRetries: 5 })];
  async function close(): Promise<void> {
    for (const step of undo.splice(0).reverse()) await step();
  }
  try {
    return await open(dir, undo, close, more);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  dir: string,
  undo: (() => Promise<unknown>)[],
  close: () => Promise<void>,
  more: readonly string[],
): Promise<LiveWorld> {
  const runner = createRunner(deps);
  undo.push(() => runner.close());
  const cf = createLocalCloudFoundry({ ...deps, dir: join(dir, 'cf'), runner, speed: 0.03 });
  const ocp = createLocalOpenShift({ ...deps, dir: join(dir, 'ocp'), runner, speed: 0.03 });
  for (const platform of [cf, ocp]) {
    await platform.start();
    undo.push(() => platform.close());
  }
  await cp(example('shop'), join(dir, 'shop'), { recursive: true });
  const file = join(dir, 'sluice.yaml');
  await writeFile(file, configuration(cf, ocp, more));
  const env = { CF_PASSWORD: cf.credentials.password, OCP_TOKEN: ocp.token, HOME: dir };
  const served = await serve(file, dir, env);
  undo.push(() => served.close());
  const admin = `http://127.0.0.1:${served.controller.adminPort}`;

  async function sluice(args: readonly string[]) {
    const fake = fakeIo({ cwd: dir, env });
    const program = buildProgram(fake.io, 'unused', args);
    let status: number;
    try {
      await program.parseAsync([...args], { from: 'user' });
      status = fake.status() ?? 0;
    } catch (caught) {
      const failed = formatCaught(caught);
      fake.io.stderr(failed.text);
      status = failed.status;
    }
    return { status, text: fake.stdout() + fake.stderr() };
  }

  async function statusView(): Promise<StatusView> {
    const answer = await request(`${admin}/v1/status`);
    // Our own server's, whose shape its own tests hold.
    return (await answer.body.json()) as StatusView;
  }

  const load = startLoad(served.port);
  undo.push(() => load.stop());
  return {
    answers: load.answers,
    status: statusView,
    async shop() {
      const [shop] = (await statusView()).applications;
      if (shop === undefined) throw new Error('the shop is not there');
      return shop;
    },
    sluice: (args) => sluice([...args, '--server', admin]),
    changeSource: () => writeFile(join(dir, 'shop', 'VERSION'), 'changed\n'),
    async failures() {
      // A batch of lines is written every tenth of a second.
      await systemClock.sleep(300);
      const lines = (await readFile(join(dir, 'access.log'), 'utf8')).split('\n');
      return lines.filter((line) => line !== '' && !line.includes('"status":200,'));
    },
    ocp,
    stranger(platform) {
      const { settings } = readConfiguration({ file, port: '0', adminPort: '0' }, { cwd: dir, env });
      if (settings === undefined) throw new Error('the configuration is gone');
      const providers = openProviders(settings, deps);
      for (const provider of providers.values()) undo.push(() => provider.close());
      return providers.get(platform)!;
    },
    setFault: (platform, fault, on) => (platform === 'cf' ? cf : ocp).setFault(fault, on),
    close,
  };
}

/** Everything is quick: so that a fault and its end are a matter of seconds, and nobody waits for the hour to pass. */
function configuration(
  cf: { readonly apiUrl: string; readonly routerUrl: string },
  ocp: { readonly apiUrl: string; readonly routerUrl: string },
  more: readonly string[],
): string {
  return `version: 1
platforms:
  cf:
    provider: cloudfoundry
    api: ${cf.apiUrl}
    router: ${cf.routerUrl}
    org: demo
    space: dev
    domain: apps.cf.localhost
    credentials: { username: admin, password: "\${CF_PASSWORD}" }
  ocp:
    provider: openshift
    api: ${ocp.apiUrl}
    router: ${ocp.routerUrl}
    namespace: shop
    credentials: { token: "\${OCP_TOKEN}" }
applications:
  shop:
    source: ./shop
    command: node server.js
    instances: 1
    memory: 64Mi
    health: { path: /healthz, every: 250ms, timeout: 500ms, fall: 2, rise: 1, release: { header: x-release } }
    targets: { cf: {}, ocp: {} }
${more.map((line) => `    ${line}\n`).join('')}    policy:
      name: live
      strategy: tiered
      holdDown: { base: 500ms, max: 500ms }
      ramp: { steps: [100%], every: 100ms }
      flap: { start: 100%, stop: 90% }
      maxFailovers: 1000
gateway:
  ejection: { base: 500ms, max: 500ms }
  accessLog: { format: json, file: ./access.log }
state: { dir: ./state }
`;
}

/** A controller and one worker, joined by calls; the supervisor between them is played here. */
async function serve(file: string, cwd: string, env: Readonly<Record<string, string>>) {
  const read = () => readConfiguration({ file, port: '0', adminPort: '0' }, { cwd, env });
  const { settings, files, diagnostics } = read();
  if (settings === undefined) throw new Error(JSON.stringify(diagnostics));
  let hear: (message: ToWorker) => void = () => undefined;
  let controller: Controller | undefined;
  let listening: (port: number) => void = () => undefined;
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    runWorker({
      ...deps,
      index: 0,
      channel: {
        send(message) {
          if (message.to === 'controller') controller?.accept(message);
          else if (message.type === 'worker-listening') listening(message.ports[0] ?? 0);
        },
        onMessage(listener) {
          hear = listener;
        },
        onDisconnect: () => undefined,
      },
      exit: () => resolve(),
    });
  });
  controller = await createController({
    ...{ settings, files, read },
    ...deps,
    hide: () => undefined,
    send: (message) => toWorker(message, hear),
  });
  await controller.start();
  return {
    controller,
    port: await port,
    async close() {
      await controller?.close();
      hear({ to: 'worker', type: 'stop', patient: false });
      await gone;
    },
  };
}

function toWorker(message: ToWorker | ToSupervisor, hear: (message: ToWorker) => void): void {
  if (message.to === 'worker') hear(message);
  else if (message.type === 'gateway') {
    const { revision, settings } = message;
    hear({ to: 'worker', type: 'settings', revision, settings });
  }
}

/** A request every 25 ms whatever becomes of those before, as clients do. */
function startLoad(port: number): { readonly answers: readonly Answer[]; stop(): Promise<void> } {
  const answers: Answer[] = [];
  const open = new Set<Promise<void>>();
  async function ask(): Promise<void> {
    try {
      const { statusCode, headers, body } = await request(`http://127.0.0.1:${port}/products`);
      await body.dump();
      const platform = headers['x-platform'];
      answers.push({ at: systemClock.now(), status: statusCode, platform: platform?.toString() });
    } catch {
      answers.push({ at: systemClock.now(), status: 0, platform: undefined });
    }
  }
  const stop = systemClock.every(REQUEST_EVERY_MS, () => {
    const one = ask().then(() => void open.delete(one));
    open.add(one);
  });
  return {
    answers,
    async stop() {
      stop();
      await Promise.all(open);
    },
  };
}
