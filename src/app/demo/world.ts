import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { SluiceError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Fault } from '../../lib/faults.ts';
import { type DemoChild, startChild } from './child.ts';
import { demoConfiguration } from './configuration.ts';

/** Everything the demo runs: two local platforms, a host daemon, a gateway, and the folder they live in. */
export interface DemoWorld {
  readonly dir: string;
  readonly configuration: string;
  readonly source: string;
  readonly ledger: string;
  readonly hostSocket: string;
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  setFault(platform: 'cf' | 'ocp', fault: Fault, on: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly main: string;
  readonly shop: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told what is being started, for whoever watches. */
  readonly say: (text: string) => void;
}

export async function openWorld(options: WorldOptions): Promise<DemoWorld> {
  const { main, clock, say } = options;
  const dir = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  const children: DemoChild[] = [];
  async function close(): Promise<void> {
    // The gateway first: what is behind it must not die while it still serves.
    for (const child of [...children].reverse()) await child.stop();
    await rm(dir, { recursive: true, force: true });
  }
  try {
    const source = join(dir, 'shop');
    const ledger = join(dir, 'ledger');
    const hostSocket = join(dir, 'host.sock');
    await cp(options.shop, source, { recursive: true });
    await mkdir(ledger);
    const start = async (
      name: string,
      args: string[],
      printsFacts: boolean,
      env = options.env,
    ): Promise<DemoChild> => {
      say(`starting ${name}`);
      const child = await startChild({ name, main, args, env, cwd: dir, clock, printsFacts });
      children.push(child);
      return child;
    };
    const local = (platform: string): string[] => [
      'local',
      platform,
      '--json',
      '--dir',
      join(dir, platform),
      '--speed',
      '0.3',
    ];
    const [cf, ocp] = await Promise.all([
      start('the local Cloud Foundry', local('cloudfoundry'), true),
      start('the local OpenShift', local('openshift'), true),
      start(
        'sluice host',
        ['host', '--socket', hostSocket, '--state', join(dir, 'host'), '--on-owner-exit', 'kill'],
        false,
      ),
    ]);
    const { text, secrets } = demoConfiguration({ cf: cf.facts, ocp: ocp.facts, hostSocket, ledger });
    const configuration = join(dir, 'sluice.yaml');
    await writeFile(configuration, text);
    const env = { ...options.env, ...secrets };
    const serve = ['serve', '-f', configuration, '--json', '--port', '0', '--admin-port', '0'];
    const gateway = await start('sluice serve', serve, true, env);
    const { ports, adminPort } = gateway.facts as { ports: number[]; adminPort: number };
    const controls = { cf: String(cf.facts['control']), ocp: String(ocp.facts['control']) };
    return {
      dir,
      configuration,
      source,
      ledger,
      hostSocket,
      gatewayUrl: `http://127.0.0.1:${ports[0]}`,
      adminUrl: `http://127.0.0.1:${adminPort}`,
      env,
      setFault: (platform, fault, on) => setFault(controls[platform], fault, on),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function setFault(control: string, fault: Fault, on: boolean): Promise<void> {
  const answer = await request(new URL('/faults', control), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fault, on }),
  });
  const text = await answer.body.text();
  if (answer.statusCode < 300) return;
  throw new SluiceError('BUG', `the local platform refused the fault ${fault}`, {
    where: control,
    why: text,
  });
}
