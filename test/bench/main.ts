import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCaught } from '../../src/cli/print-error.ts';
import { SluiceError } from '../../src/core/errors.ts';
import type { Contender } from './contender.ts';
import { coresHere } from './cores.ts';
import { hasWrk, type LoadGenerator, ownLoad, wrkLoad } from './load.ts';
import { machineHere } from './machine.ts';
import { type BenchOptions, HELP, parseOptions } from './options.ts';
import { PROXIES } from './proxies.ts';
import { formatReport, missedLimits, type Report, type WorkReport, workReport } from './report.ts';
import { runWork } from './run.ts';
import { WORKS } from './works.ts';

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.platform !== 'linux') {
    throw new SluiceError('USAGE', 'the bench reads CPU times from /proc', { remedy: 'run it on Linux' });
  }
  const report = await bench(options);
  process.stdout.write(formatReport(report));
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(report, null, 2)}\n`);
  return missedLimits(report) ? 1 : 0;
}

async function bench(options: BenchOptions): Promise<Report> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new SluiceError('INTERRUPTED', `the bench got ${signal}`)));
  }
  const cores = coresHere();
  const load = chooseLoad(options.load);
  const versions: Record<string, string> = { node: process.versions.node, load: load.name };
  const skipped: Record<string, string> = {};
  const proxies: Contender[] = [];
  for (const proxy of PROXIES) {
    const described = proxy.describe();
    if ('missing' in described) skipped[proxy.name] = described.missing;
    else {
      versions[proxy.name] = described.version;
      proxies.push(proxy);
    }
  }
  for (const [name, why] of Object.entries(skipped)) say(`without ${name}: ${why}`);

  const works: WorkReport[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  try {
    for (const work of WORKS) {
      say(work.name);
      const samples = await runWork(work, {
        bench: options,
        proxies,
        load,
        cores: 'unpinned' in cores ? undefined : cores,
        folder,
        signal: stopping.signal,
        progress: say,
      });
      works.push(workReport(work, samples));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    schema: 1,
    at: new Date().toISOString(),
    machine: machineHere(cores),
    options,
    versions,
    skipped,
    works,
  };
}

function chooseLoad(wanted: BenchOptions['load']): LoadGenerator {
  if (wanted === 'own') return ownLoad;
  if (hasWrk()) return wrkLoad;
  if (wanted === 'auto') return ownLoad;
  throw new SluiceError('USAGE', 'wrk is not on PATH', { remedy: 'install it, or use --load own' });
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
