import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { formatCaught } from '../../src/cli/print-error.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { bench } from './bench.ts';
import { RESULTS_FOLDER } from './folders.ts';
import { formatReport } from './format.ts';
import { formatJudgement, limitsOf } from './judgement/report.ts';
import { type JudgementOptions, judgement } from './judgement/run.ts';
import { type BenchOptions, HELP, parseOptions } from './options.ts';
import { publish } from './publish.ts';
import { hasFailed, type Report } from './report.ts';

async function main(): Promise<number> {
  const order = parseOptions(process.argv.slice(2));
  if (order.kind === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (order.kind === 'publish') {
    for (const file of await publish(order.file)) process.stdout.write(`written: ${file}\n`);
    return 0;
  }
  if (process.platform !== 'linux') {
    throw new SluiceError('USAGE', 'the bench reads CPU times from /proc', { remedy: 'run it on Linux' });
  }
  return order.kind === 'judgement' ? runJudgement(order.options) : run(order.options);
}

async function runJudgement(options: JudgementOptions): Promise<number> {
  const file = await fileFor(options.json);
  const report = await judgement(options, { signal: stoppedBySignals(), progress: say });
  const limits = limitsOf(report);
  await writeFile(file, `${JSON.stringify({ ...report, limits }, null, 2)}\n`);
  process.stdout.write(formatJudgement(report));
  say(`all numbers: ${relative(process.cwd(), file)}`);
  return limits.every(({ kept }) => kept) ? 0 : 1;
}

function stoppedBySignals(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new SluiceError('INTERRUPTED', `the bench got ${signal}`)));
  }
  return stopping.signal;
}

async function fileFor(json: string | undefined): Promise<string> {
  const file = resolve(json ?? join(RESULTS_FOLDER, `${new Date().toISOString().replaceAll(':', '-')}.json`));
  await mkdir(dirname(file), { recursive: true });
  return file;
}

async function run(options: BenchOptions): Promise<number> {
  const file = await fileFor(options.json);
  const report = await bench(options, {
    signal: stoppedBySignals(),
    progress: say,
    save: (soFar: Report) => writeFile(file, `${JSON.stringify(soFar, null, 2)}\n`),
  });
  process.stdout.write(formatReport(report));
  say(`all numbers: ${relative(process.cwd(), file)}`);
  return hasFailed(report) ? 1 : 0;
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
