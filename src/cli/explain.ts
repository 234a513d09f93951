import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import type { Explanation } from '../core/status.ts';
import { parseDuration } from '../core/units.ts';
import { systemClock } from '../lib/clock.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { openViewClient } from './view-client.ts';

interface ExplainOptions extends CommonOptions {
  readonly at?: string;
}

export function explainCommand(program: Command, io: CliIo): void {
  const command = program.command('explain [application]').description('why traffic is where it is');
  withServer(withConfiguration(command))
    .option('--at <time>', 'at that moment (2026-11-21T10:00:00Z) or so long ago (10m)')
    .action(async (named: string | undefined, options: ExplainOptions) => {
      const at = options.at === undefined ? undefined : momentOf(options.at, systemClock.now());
      const client = await openViewClient(options, io);
      try {
        const name = named ?? options.app;
        const names =
          name === undefined ? (await client.status()).applications.map((one) => one.name) : [name];
        for (const application of names) {
          const explanation = await client.explain(application, at);
          io.stdout(options.json ? `${JSON.stringify(explanation)}\n` : formatExplanation(explanation));
        }
      } finally {
        await client.close();
      }
    });
}

export function formatExplanation(explanation: Explanation): string {
  const steps = explanation.steps.flatMap((step) => [
    `  ${step.stage}`,
    ...step.lines.map((line) => `    ${line}`),
  ]);
  return `${explanation.application}: ${explanation.summary}\n${steps.join('\n')}\n`;
}

function momentOf(given: string, now: number): number {
  const ago = parseDuration(given);
  if (ago.ok) return now - ago.value;
  const moment = Date.parse(given);
  if (!Number.isNaN(moment)) return moment;
  throw new SluiceError('USAGE', `--at "${given}" is no moment`, {
    remedy: 'write 10m or 2026-11-21T10:00:00Z',
  });
}
