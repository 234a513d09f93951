import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createHost } from '../runner/host.ts';
import type { CliIo } from './io.ts';
import { commandLogger } from './logging.ts';
import { runUntilStopped } from './run-until-stopped.ts';

interface HostOptions {
  readonly socket?: string;
  readonly state: string;
  readonly onOwnerExit: string;
  readonly json?: boolean;
}

export function hostCommand(program: Command, io: CliIo): void {
  program
    .command('host')
    .description('own self-hosted instances on this machine; outlives orchestrator and gateway')
    .option('--socket <path>', 'unix socket it listens on (default: <state>/host.sock)')
    .option('--state <dir>', 'releases, logs and what runs', '.sluice/host')
    .option('--on-owner-exit <what>', 'what happens to instances when this daemon dies: keep or kill', 'keep')
    .option('--json', 'log as NDJSON')
    .action(async (options: HostOptions) => {
      const { onOwnerExit } = options;
      if (onOwnerExit !== 'keep' && onOwnerExit !== 'kill') {
        throw new SluiceError('USAGE', `--on-owner-exit cannot be "${onOwnerExit}"`, {
          remedy: 'use keep or kill',
        });
      }
      const stateDir = resolve(io.cwd, options.state);
      const socket =
        options.socket === undefined ? `${stateDir}/../host.sock` : resolve(io.cwd, options.socket);
      const host = createHost({
        socket: resolve(socket),
        stateDir,
        clock: systemClock,
        random: systemRandom,
        onOwnerExit,
        logger: commandLogger(io, options.json ?? false, []),
      });
      await runUntilStopped(host, io, () => `sluice host listens on ${resolve(socket)}`);
    });
}
