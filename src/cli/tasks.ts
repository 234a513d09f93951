import { type Command, Option } from 'commander';
import type { Control } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { TaskRecord } from '../core/task-power.ts';
import { formatDuration } from '../core/units.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { formatTable } from './text-table.ts';
import { openViewSession } from './view-session.ts';

export function tasksCommand(program: Command, io: CliIo): void {
  const group = program.command('tasks').description('commands that ran once, and ending one that runs');

  withServer(withConfiguration(group.command('list', { isDefault: true })))
    .description('migrations, jobs by the clock and runs by hand, oldest first')
    .action(async (options: CommonOptions) => {
      const session = await openViewSession(options, io);
      try {
        const all = (await session.control.tasks()).filter(
          ({ application, platform }) =>
            (options.app ?? application) === application && (options.on?.includes(platform) ?? true),
        );
        if (options.json)
          for (const { handle: _, ...record } of all) io.stdout(`${JSON.stringify(record)}\n`);
        else if (all.length === 0) io.stdout('nothing ran yet\n');
        else io.stdout(formatTable(HEADS, all.map(row)));
      } finally {
        await session.close();
      }
    });

  withServer(withConfiguration(group.command('cancel <run>')))
    .description('end a run that is under way')
    .action((run: string, options: CommonOptions) =>
      act(run, options, {
        how: ({ cancelRun }) => cancelRun(run),
        none: `no run ${run} is under way`,
        done: ({ platform }) => `${run} on ${platform} is told to end`,
      }),
    );

  withServer(withConfiguration(group.command('settle <run>')))
    .description('say how a run ended that its platform cannot be asked about any more')
    .addOption(
      new Option('--as <end>', 'failed: the next deployment runs it again; succeeded: it does not')
        .choices(['succeeded', 'failed'])
        .makeOptionMandatory(),
    )
    .action((run: string, options: CommonOptions & { readonly as: 'succeeded' | 'failed' }) =>
      act(run, options, {
        how: ({ settleRun }) => settleRun(run, options.as),
        none: `no run ${run} is open`,
        done: ({ platform }) => `${run} on ${platform} is taken as ${options.as}`,
      }),
    );

  async function act(
    run: string,
    options: CommonOptions,
    {
      how,
      none,
      done,
    }: {
      readonly how: (control: Control) => Promise<TaskRecord | undefined>;
      readonly none: string;
      readonly done: (record: TaskRecord) => string;
    },
  ): Promise<void> {
    const session = await openViewSession(options, io);
    try {
      const record = await how(session.control);
      if (record === undefined)
        throw new SluiceError('USAGE', none, { remedy: 'see which there are: sluice tasks' });
      if (options.json) io.stdout(`${JSON.stringify({ ...record, run })}\n`);
      else io.stdout(`${done(record)}\n`);
    } finally {
      await session.close();
    }
  }
}

const HEADS = ['run', 'application', 'task', 'release', 'platform', 'why', 'started', 'took', 'outcome'];

const WHY: Readonly<Record<TaskRecord['trigger'], string>> = {
  release: 'its release',
  hand: 'by hand',
  schedule: 'the clock',
};

function row(record: TaskRecord): string[] {
  const { run, application, task, release, platform, trigger, startedAt, endedAt, state } = record;
  const took = endedAt === undefined ? '' : formatDuration(Math.max(1, endedAt - startedAt));
  const outcome = state === 'begun' ? 'under way' : state;
  return [run, application, task, release, platform, WHY[trigger], isoTime(startedAt), took, outcome];
}
