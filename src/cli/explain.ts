import type { Command } from 'commander';
import type { Explanation } from '../core/status.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { openViewClient } from './view-client.ts';

export function explainCommand(program: Command, io: CliIo): void {
  const command = program.command('explain [application]').description('why traffic is where it is');
  withServer(withConfiguration(command)).action(async (named: string | undefined, options: CommonOptions) => {
    const client = await openViewClient(options, io);
    try {
      const name = named ?? options.app;
      const names = name === undefined ? (await client.status()).applications.map((one) => one.name) : [name];
      for (const application of names) {
        const explanation = await client.explain(application);
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
