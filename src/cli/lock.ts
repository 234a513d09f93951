import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { openSession, type Session } from './session.ts';
import { readSettings } from './settings.ts';
import { formatTable } from './text-table.ts';

interface BreakOptions extends CommonOptions {
  readonly reason: string;
}

export function lockCommand(program: Command, io: CliIo): void {
  const group = program.command('lock').description('who is changing which application, and ending that');

  withServer(withConfiguration(group.command('ls', { isDefault: true })))
    .description('the locks that are held now')
    .action((options: CommonOptions) => within(io, options, list));

  withServer(withConfiguration(group.command('break <application>')))
    .description('take the lock of a deployment away; whoever has it stops before its next write')
    .requiredOption('--reason <text>', 'why; it is kept in the event log')
    .action((application: string, options: BreakOptions) =>
      within(io, options, (session) => breakOne(session, application, options)),
    );

  async function list({ control }: Session, { json }: CommonOptions): Promise<void> {
    const locks = await control.locks();
    if (json) for (const lock of locks) io.stdout(`${JSON.stringify(lock)}\n`);
    else if (locks.length === 0) io.stdout('no lock is held\n');
    else {
      const rows = locks.map(({ application, what, holder, reason, since, expiresAt }) => [
        ...[application, what, holder, reason, isoTime(since), isoTime(expiresAt)],
      ]);
      io.stdout(
        formatTable(['application', 'for', 'holder', 'reason', 'since', 'ends unless renewed'], rows),
      );
    }
  }

  async function breakOne(session: Session, application: string, options: BreakOptions): Promise<void> {
    const broken = await session.control.breakLock(application, options.reason);
    if (broken === undefined) {
      throw new SluiceError('USAGE', `nobody holds the lock of ${application}`, {
        remedy: 'see who holds which: sluice lock ls',
      });
    }
    if (options.json) io.stdout(`${JSON.stringify(broken)}\n`);
    else {
      io.stdout(`${application} is free; ${broken.holder} (${broken.reason}) stops before its next write\n`);
      io.stderr('what it began on a platform goes on there; the next deployment finds it\n');
    }
  }
}

async function within(
  io: CliIo,
  options: CommonOptions,
  work: (session: Session, options: CommonOptions) => Promise<void>,
): Promise<void> {
  const session = await openSession(readSettings(io, options.file), options, io);
  try {
    await work(session, options);
  } finally {
    await session.close();
  }
}
