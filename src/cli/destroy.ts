import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
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

export function destroyCommand(program: Command, io: CliIo): void {
  const command = program
    .command('destroy')
    .description('remove the application and all Sluice made for it from its platforms')
    .option('-y, --yes', 'do not ask');
  withServer(withPlatforms(withConfiguration(command))).action(async (options: CommonOptions) => {
    const settings = readSettings(io, options.file);
    const application = chooseApplication(settings, options.app);
    const where = options.on?.join(', ') ?? 'all its platforms';
    if (!options.yes) await confirm(application.name, where, io);
    const session = await openSession(settings, options, io);
    try {
      const results = Object.entries(await session.control.destroy(application.name, options.on));
      for (const [platform, error] of results) {
        if (options.json) io.stdout(`${JSON.stringify({ platform, destroyed: error === null, error })}\n`);
        else if (error) io.stderr(formatError(error));
        else io.stdout(`${platform}: nothing of ${application.name} is left\n`);
      }
      const failed = results.filter(([, error]) => error).length;
      if (failed > 0) io.exit(failed === results.length ? 1 : 3);
    } finally {
      await session.close();
    }
  });
}

/** Typing the name is slower than a reflex. Without a terminal there is nobody to ask. */
async function confirm(application: string, where: string, io: CliIo): Promise<void> {
  if (!io.isTty)
    throw new SluiceError('USAGE', 'destroy asks first, and there is no terminal', { remedy: 'pass --yes' });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await Promise.race([
      lines.question(`This removes ${application} from ${where}. Type its name to go on: `),
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
