import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { MODES as CF_MODES } from '../../providers/cloudfoundry/local/korifi.ts';
import { createLocalCloudFoundry } from '../../providers/cloudfoundry/local/server.ts';
import { MODES } from '../../providers/openshift/local/resources.ts';
import { createLocalOpenShift } from '../../providers/openshift/local/server.ts';
import { SluiceError } from '../core/errors.ts';
import { systemClock } from '../lib/clock.ts';
import { FAULTS } from '../lib/faults.ts';
import { systemRandom } from '../lib/random.ts';
import { createRunner } from '../runner/runner.ts';
import type { CliIo } from './io.ts';
import { commandLogger } from './logging.ts';
import { runUntilStopped } from './run-until-stopped.ts';

interface LocalOptions {
  readonly dir?: string;
  readonly apiPort: string;
  readonly routerPort: string;
  readonly controlPort: string;
  readonly speed: string;
  readonly mode?: string;
  readonly json?: boolean;
  readonly https?: boolean;
  readonly images?: string;
}

export function localCommand(program: Command, io: CliIo): void {
  program
    .command('local <platform>')
    .description('run a small but honest platform on this machine: cloudfoundry or openshift')
    .option('--dir <path>', 'where it unpacks and logs (default: .sluice/local/<platform>)')
    .option('--api-port <port>', '0 takes a free one', '0')
    .option('--router-port <port>', '0 takes a free one', '0')
    .option('--control-port <port>', 'faults are switched there; 0 takes a free one', '0')
    .option('--speed <factor>', '1 is realistic, smaller is faster', '1')
    .option('--https', 'cloudfoundry: hand out https addresses, with a certificate authority in <dir>/ca.pem')
    .option(
      '--mode <mode>',
      'of cloudfoundry: cloudfoundry or korifi; of openshift: openshift, microshift (routes only) or kubernetes',
    )
    .option('--images <path>', 'registries for images: REGISTRY/NAME@sha256:… is a folder below it')
    .option('--json', 'print addresses and credentials as one JSON line on standard output')
    .addHelpText('after', `\nFaults (POST /faults on the control port):\n${faultLines()}`)
    .action(async (platform: string, options: LocalOptions) => {
      const shared = {
        dir: resolve(io.cwd, options.dir ?? join('.sluice', 'local', platform)),
        runner: createRunner({ clock: systemClock, random: systemRandom }),
        clock: systemClock,
        random: systemRandom,
        logger: commandLogger(io, options.json ?? false, []),
        ports: {
          api: portIn(options.apiPort),
          router: portIn(options.routerPort),
          control: portIn(options.controlPort),
        },
        speed: speedIn(options.speed),
        https: options.https ?? false,
        ...(options.images === undefined ? {} : { imagesDir: resolve(io.cwd, options.images) }),
      };
      const made = makePlatform(platform, shared, options.mode);
      await runUntilStopped(made.server, io, () => {
        if (options.json) io.stdout(`${JSON.stringify(made.facts())}\n`);
        return Object.entries(made.facts())
          .map(
            ([name, value]) =>
              `${name.padEnd(12)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
          )
          .join('\n');
      });
      await shared.runner.close();
    });
}

type Shared = Parameters<typeof createLocalCloudFoundry>[0] & Parameters<typeof createLocalOpenShift>[0];

function makePlatform(platform: string, shared: Omit<Shared, 'mode'>, mode: string | undefined) {
  if (platform === 'cloudfoundry') {
    const server = createLocalCloudFoundry({ ...shared, mode: modeIn(CF_MODES, mode ?? 'cloudfoundry') });
    const facts = () => ({
      platform,
      api: server.apiUrl,
      router: server.routerUrl,
      control: server.controlUrl,
      ...(server.ca === undefined ? {} : { ca: server.ca }),
      organization: server.organization,
      space: server.space,
      domain: server.domain,
      credentials: server.token === undefined ? server.credentials : { token: server.token },
    });
    return { server, facts };
  }
  if (platform === 'openshift') {
    const server = createLocalOpenShift({ ...shared, mode: modeIn(MODES, mode ?? 'openshift') });
    const facts = () => ({
      platform,
      api: server.apiUrl,
      router: server.routerUrl,
      control: server.controlUrl,
      credentials: { token: server.token },
    });
    return { server, facts };
  }
  throw new SluiceError('USAGE', `there is no local platform "${platform}"`, {
    remedy: 'use cloudfoundry or openshift',
  });
}

function modeIn<T extends string>(modes: readonly T[], text: string): T {
  const mode = modes.find((known) => known === text);
  if (mode) return mode;
  throw new SluiceError('USAGE', `--mode "${text}" is none`, { remedy: `use ${modes.join(', ')}` });
}

function speedIn(text: string): number {
  const speed = Number(text);
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw new SluiceError('USAGE', `--speed "${text}" is no factor`, {
    remedy: 'use a number above 0, e.g. 0.3',
  });
}

function portIn(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new SluiceError('USAGE', `"${text}" is no port`, { remedy: 'use a number from 0 to 65535' });
}

function faultLines(): string {
  return Object.entries(FAULTS)
    .map(([name, text]) => `  ${name.padEnd(15)} ${text}`)
    .join('\n');
}
