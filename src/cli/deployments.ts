import type { Command } from 'commander';
import type { DeploymentRecord } from '../core/deployment.ts';
import { releaseLabel } from '../core/release.ts';
import { percent } from '../events/describe.ts';
import { isoTime } from '../lib/iso-time.ts';
import { followDeployment } from './deploy.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { openSession } from './session.ts';
import { readSettings } from './settings.ts';
import { formatTable } from './text-table.ts';

export function deploymentsCommand(program: Command, io: CliIo): void {
  const group = program
    .command('deployments')
    .description('what was deployed, and going on with what was broken off');

  withServer(withConfiguration(group.command('list', { isDefault: true }))).action(
    async (options: CommonOptions) => {
      const session = await openSession(readSettings(io, options.file), options, io);
      try {
        const records = await session.control.deployments();
        if (options.json) for (const record of records) io.stdout(`${JSON.stringify(record)}\n`);
        else if (records.length === 0) io.stdout('no deployments yet\n');
        else
          io.stdout(
            formatTable(
              ['deployment', 'application', 'release', 'how', 'started', 'outcome', 'platforms'],
              records.map(row),
            ),
          );
      } finally {
        await session.close();
      }
    },
  );

  withServer(withConfiguration(group.command('resume <id>')))
    .description('go on with a deployment where it was broken off')
    .action(async (id: string, options: CommonOptions) => {
      const session = await openSession(readSettings(io, options.file), options, io);
      try {
        await followDeployment(session, io, options, () => session.control.resume(id), 'resuming');
      } finally {
        await session.close();
      }
    });
}

function row(record: DeploymentRecord): string[] {
  const platforms = Object.entries(record.targets).map(([platform, target]) => `${platform} ${target.phase}`);
  return [
    record.id,
    record.application,
    releaseLabel(record.release),
    howOf(record),
    isoTime(record.startedAt),
    record.outcome ?? 'under way or broken off',
    platforms.join(', '),
  ];
}

/** The strategy, and how far all have come together: `canary 2/3, 25 %`. */
function howOf({ kind, deploy, together, outcome }: DeploymentRecord): string {
  if (kind !== undefined) return kind;
  const { strategy = 'rolling', steps = [] } = deploy ?? {};
  if (together === undefined || outcome === 'done' || steps.length === 0) return strategy;
  const step = Math.min(together.step + 1, steps.length);
  return `${strategy} ${step}/${steps.length}, ${percent(together.part)}`;
}
