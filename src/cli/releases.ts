import type { Command } from 'commander';
import { type Release, releaseLabel } from '../core/release.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, chooseApplication, withConfiguration, withServer } from './options.ts';
import { openSession } from './session.ts';
import { readSettings } from './settings.ts';
import { formatTable } from './text-table.ts';

export function releasesCommand(program: Command, io: CliIo): void {
  const command = program
    .command('releases')
    .description('the releases of the application and where each is live');
  withServer(withConfiguration(command)).action(async (options: CommonOptions) => {
    const settings = readSettings(io, options.file);
    const application = chooseApplication(settings, options.app);
    const session = await openSession(settings, options, io);
    try {
      const { releases, live } = await session.control.releases(application.name);
      const known = releases.some((release) => originOf(release) !== undefined);
      const rows = releases.map((release) => {
        const on = Object.keys(live).filter((platform) => live[platform] === release.id);
        if (options.json) io.stdout(`${JSON.stringify({ ...release, live: on })}\n`);
        return [
          releaseLabel(release),
          release.id,
          isoTime(release.createdAt),
          on.join(', ') || '-',
          ...(known ? [originOf(release) ?? '-'] : []),
        ];
      });
      if (options.json) return;
      io.stdout(
        rows.length === 0
          ? 'no releases yet\n'
          : formatTable(['release', 'id', 'created', 'live on', ...(known ? ['from'] : [])], rows),
      );
    } finally {
      await session.close();
    }
  });
}

/** What a person knows it by where it comes from. */
function originOf({ image, commit, program }: Release): string | undefined {
  if (commit !== undefined) return `commit ${commit.slice(0, 12)}`;
  return image ?? program;
}
