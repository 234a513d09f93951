import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { runDemo } from '../app/demo/run.ts';
import { isGood, type Summary } from '../app/demo/summary.ts';
import { describeEvent } from '../events/describe.ts';
import { systemClock } from '../lib/clock.ts';
import { demoScreen } from './demo-screen.ts';
import type { CliIo } from './io.ts';
import { packageFile } from './package-file.ts';

interface DemoCliOptions {
  readonly headless?: boolean;
  readonly json?: boolean;
  readonly rps: string;
  readonly color?: boolean;
}

const POLICY = 'config/policies/demo.yaml';

export function demoCommand(program: Command, io: CliIo, main: string): void {
  program
    .command('demo')
    .description(
      'the whole story on this machine: three platforms, one gateway, and everything breaks in turn',
    )
    .option('--headless', 'lines instead of the dashboard')
    .option('--json', 'NDJSON: events, and a summary as the last line')
    .option('--rps <n>', 'requests a second', '200')
    .option('--no-color', 'no colours')
    .action(async (options: DemoCliOptions) => {
      const json = options.json ?? false;
      const screen = await demoScreen(io, {
        title: `sluice demo  policy ${basename(POLICY)}`,
        live: !json && !options.headless,
        color: options.color !== false,
      });
      const { say } = screen;
      say(`policy demo (${packageFile(POLICY)}):`);
      say(readFileSync(packageFile(POLICY), 'utf8').trimEnd());
      const summary = await runDemo({
        main: fileURLToPath(new URL('../main.js', import.meta.url)) || main,
        shop: packageFile('examples/shop'),
        env: io.env,
        clock: systemClock,
        rps: Number(options.rps),
        signal: screen.signal,
        say: (line) => (json ? io.stdout(`${JSON.stringify({ type: 'demo', line })}\n`) : say(line)),
        onEvent: (event) => {
          if (json) io.stdout(`${JSON.stringify(event)}\n`);
          else if (screen.isShown()) return;
          else if (event.type === 'verdict.changed' || event.type === 'decision.made')
            say(`    ${describeEvent(event)}`);
        },
        onOutage: (outage) => {
          if (json) io.stdout(`${JSON.stringify({ type: 'outage', ...outage })}\n`);
        },
        onWorld: (world) => screen.open(world.adminUrl),
      });
      io.stdout(json ? `${JSON.stringify(summary)}\n` : formatSummary(summary));
      io.exit(isGood(summary) ? 0 : 1);
    });
}

function formatSummary(summary: Summary): string {
  const { unsafe } = summary;
  const lines = [
    '',
    `${summary.requests} requests, ${summary.failed} safe ones failed; ${unsafe.sent} orders, ${unsafe.failed} unanswered, ${unsafe.twice} executed twice`,
    ...summary.outages.map((outage) => {
      const detected = outage.detectedMs === null ? '' : `, noticed after ${outage.detectedMs} ms`;
      const moved = outage.moved === undefined ? '' : `, moved traffic ${outage.moved} times`;
      return `  ${outage.platform} ${outage.fault}: ${outage.failed} failed, slowest ${outage.slowestMs} ms${detected}${moved}`;
    }),
    `deployed in ${Object.entries(summary.deploy)
      .map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`)
      .join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}
