import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCaught } from '../../src/cli/print-error.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { coresHere } from '../bench/cores.ts';
import { machineHere } from '../bench/machine.ts';
import { type DrillOptions, HELP, parseDrillOptions } from './drill-options.ts';
import { type DrillReport, formatDrill, missedLimits } from './drill-report.ts';
import { type Pass, runPass } from './drill-run.ts';
import type { Contender } from './proxies/contender.ts';
import { PROXIES } from './proxies.ts';

async function main(): Promise<number> {
  const options = parseDrillOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.platform !== 'linux') {
    throw new SluiceError('USAGE', 'the drill compares clocks of several processes, which needs Linux');
  }
  const report = await drill(options);
  process.stdout.write(formatDrill(report));
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  return missedLimits(report) ? 1 : 0;
}

async function drill(options: DrillOptions): Promise<DrillReport> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new SluiceError('INTERRUPTED', `the drill got ${signal}`)));
  }
  const versions: Record<string, string> = { node: process.versions.node };
  const skipped: Record<string, string> = {};
  const contenders: Contender[] = [];
  for (const name of options.proxies) {
    const described = PROXIES[name].describe();
    if ('missing' in described) {
      skipped[name] = described.missing;
      say(`without ${name}: ${described.missing}`);
    } else {
      versions[name] = described.version;
      contenders.push(PROXIES[name]);
    }
  }
  const passes: Pass[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'sluice-drill-'));
  try {
    for (const rate of options.rates) {
      for (const contender of contenders) {
        passes.push(
          await runPass(contender, rate, { drill: options, folder, signal: stopping.signal, progress: say }),
        );
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { cpu, cores, system } = machineHere(coresHere());
  return {
    schema: 1,
    at: new Date().toISOString(),
    machine: `${cpu}, ${cores} cores, ${system}`,
    seconds: options.seconds,
    versions,
    skipped,
    passes,
  };
}

/** Progress goes to standard error; standard output is the report alone. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (caught) {
  const { text, status } = formatCaught(caught);
  process.stderr.write(text);
  process.exitCode = status;
}
