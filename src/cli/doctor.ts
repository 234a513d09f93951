import type { Command } from 'commander';
import { PROVIDERS } from '../../providers/registry.ts';
import { type Finding, ok } from '../app/doctor/finding.ts';
import { checkMachine, checkNode } from '../app/doctor/machine.ts';
import { checkPlatforms } from '../app/doctor/platforms.ts';
import { openProviders } from '../app/orchestration.ts';
import { loadSettingsFile } from '../config/load.ts';
import { formatDiagnostic } from '../core/diagnostics.ts';
import { SluiceError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { silentLogger } from '../observe/logger.ts';
import type { CliIo } from './io.ts';
import { adminUrlOf, ownToken } from './server-address.ts';
import { serverClient } from './server-client.ts';

interface DoctorOptions {
  readonly file: string;
  readonly json?: boolean;
}

const MARKS = { ok: '✔', warning: '!', bad: '✖' } as const satisfies Record<Finding['level'], string>;

/** `sluice doctor`: everything that `serve` and `deploy` need, looked at before they need it. Changes nothing. */
export function doctorCommand(program: Command, io: CliIo): void {
  program
    .command('doctor')
    .description('look at this machine, the configuration and every platform, and say what is not well')
    .option('-f, --file <path>', 'the configuration', 'sluice.yaml')
    .option('--json', 'one JSON object a line')
    .action(async (options: DoctorOptions) => {
      const findings = await examine(options, io);
      for (const finding of findings) {
        io.stdout(options.json ? `${JSON.stringify(finding)}\n` : formatFinding(finding));
      }
      if (findings.some(({ level }) => level === 'bad')) io.exit(1);
    });
}

async function examine({ file }: DoctorOptions, io: CliIo): Promise<readonly Finding[]> {
  const read = readConfiguration(file, io);
  if (read.settings === undefined) return [checkNode(process.version), ...read.findings];
  const { settings } = read;
  const client = serverClient(adminUrlOf(settings), ownToken(settings));
  const server = await client.look();
  await client.close();
  const providers = openProviders(settings, {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  try {
    return [
      ...(await checkMachine(settings, { version: process.version, serverRuns: server === 'there' })),
      ...read.findings,
      ...(await checkPlatforms(settings, providers, systemClock)),
    ];
  } finally {
    await Promise.all([...providers.values()].map((provider) => provider.close()));
  }
}

/** Secrets that are not set are faults of the file too. */
function readConfiguration(
  file: string,
  io: CliIo,
): { readonly settings?: Settings; readonly findings: readonly Finding[] } {
  try {
    const { settings, diagnostics } = loadSettingsFile(file, {
      cwd: io.cwd,
      env: io.env,
      providers: PROVIDERS,
    });
    io.hide?.(settings.secrets);
    const warnings = diagnostics.map(
      (one): Finding => ({
        level: 'warning',
        where: file,
        what: formatDiagnostic(one),
      }),
    );
    return { settings, findings: [ok(file, 'says nothing that is wrong'), ...warnings] };
  } catch (caught) {
    const { message, details } = SluiceError.from(caught);
    const remedy = 'put it right; `sluice validate` checks it alone';
    return {
      findings: [
        { level: 'bad', where: file, what: message, ...(details.why ? { why: details.why } : {}), remedy },
      ],
    };
  }
}

/** `✖ platform cf-eu: the API does not answer`, and below it why and what to do. */
export function formatFinding({ level, where, what, why, remedy }: Finding): string {
  const lines = [`${MARKS[level]} ${where}: ${what}`];
  for (const line of why?.split('\n') ?? []) lines.push(`    ${line}`);
  if (remedy !== undefined) lines.push(`    do ${remedy}`);
  return `${lines.join('\n')}\n`;
}
