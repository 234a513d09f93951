import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Destroyed, DestroyWish } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import {
  type CommonOptions,
  chooseApplication,
  withConfiguration,
  withPlatforms,
  withServer,
} from './options.ts';
import { formatError } from './print-error.ts';
import { openSession } from './session.ts';
import { readSettings } from './settings.ts';

interface DestroyOptions extends CommonOptions {
  readonly services?: boolean;
}

export function destroyCommand(program: Command, io: CliIo): void {
  const command = program
    .command('destroy')
    .description('remove the application and all Sluice made for it from its platforms')
    .option('--services', 'also service instances and volumes that were made for it, with all their data')
    .option('-y, --yes', 'do not ask');
  withServer(withPlatforms(withConfiguration(command))).action(async (options: DestroyOptions) => {
    const settings = readSettings(io, options.file);
    const application = chooseApplication(settings, options.app);
    const where = options.on?.join(', ') ?? 'all its platforms';
    const services = options.services ?? false;
    const what = services ? `${application.name} with its services and their data` : application.name;
    if (!options.yes) await confirm(application.name, `${what} from ${where}`, io);
    const session = await openSession(settings, options, io);
    try {
      const wish = { application: application.name, platforms: options.on, services };
      const results = Object.entries(await session.control.destroy(wish));
      for (const [platform, destroyed] of results)
        print(platform, destroyed, wish, options.json ?? false, io);
      const failed = results.filter(([, { error }]) => error).length;
      if (failed > 0) io.exit(failed === results.length ? 1 : 3);
    } finally {
      await session.close();
    }
  });
}

function print(
  platform: string,
  { error, left }: Destroyed,
  { application, services }: DestroyWish,
  json: boolean,
  io: CliIo,
): void {
  if (json) io.stdout(`${JSON.stringify({ platform, destroyed: error === null, error, left })}\n`);
  else if (error) io.stderr(formatError(error));
  else if (left.length === 0) io.stdout(`${platform}: nothing of ${application} is left\n`);
  else io.stdout(`${platform}: ${application} is gone; ${left.join(', ')} stays (--services removes it)\n`);
  if (error && services && left.length > 0 && !json) io.stderr(`  left: ${left.join(', ')}\n`);
}

/** Typing the name is slower than a reflex. Without a terminal there is nobody to ask. */
async function confirm(application: string, what: string, io: CliIo): Promise<void> {
  if (!io.isTty)
    throw new SluiceError('USAGE', 'destroy asks first, and there is no terminal', { remedy: 'pass --yes' });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await Promise.race([
      lines.question(`This removes ${what}. Type its name to go on: `),
      // The end of the input, or Ctrl-C: no answer is no.
      new Promise<string>((done) => {
        lines.once('close', () => done(''));
        lines.once('SIGINT', () => done(''));
        io.signal.addEventListener('abort', () => done(''), { once: true });
      }),
    ]);
    if (answer.trim() !== application) throw new SluiceError('INTERRUPTED', 'nothing was destroyed');
  } finally {
    lines.close();
  }
}
