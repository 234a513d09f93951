import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCaught } from '../../src/cli/print-error.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { judgeIdle, measureIdle } from './idle.ts';
import type { Judged } from './limits.ts';
import { NOTHING_YET, type Tally } from './soak-messages.ts';
import { HELP, type IdleOptions, parseSoakOptions, type SoakRunOptions } from './soak-options.ts';
import { judgeSoak, minuteLine, SOAK_HEADER, type SoakSample, soakSummary } from './soak-report.ts';
import { runSoak } from './soak-run.ts';

const SAMPLES_A_MINUTE = 60;

interface Outcome {
  readonly findings: object;
  readonly judged: readonly Judged[];
}

async function main(): Promise<number> {
  const options = parseSoakOptions(process.argv.slice(2));
  if (options === undefined) {
    print(HELP);
    return 0;
  }
  if (process.platform !== 'linux') {
    throw new SluiceError('USAGE', 'the soak counts sockets and memory in /proc', {
      remedy: 'run it on Linux',
    });
  }
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new SluiceError('INTERRUPTED', `the soak got ${signal}`)));
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-soak-'));
  try {
    const context = { folder, signal: stopping.signal };
    const { findings, judged } =
      options.kind === 'idle' ? await idle(options, context) : await soak(options, context);
    if (options.json !== undefined) {
      const report = { schema: 1, at: new Date().toISOString(), options, findings, judged };
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    return judged.some(({ verdict }) => verdict === 'missed') ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Context {
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function soak(options: SoakRunOptions, context: Context): Promise<Outcome> {
  let minute: SoakSample[] = [];
  let minutes = 0;
  let before: Tally = NOTHING_YET;
  print(`${SOAK_HEADER.join('\n')}\n`);
  const findings = await runSoak(options, {
    ...context,
    onSample(sample) {
      minute.push(sample);
      if (minute.length < SAMPLES_A_MINUTE) return;
      minutes += 1;
      print(`${minuteLine(minutes, minute, before)}\n`);
      before = sample.tally;
      minute = [];
    },
  });
  if (minute.length > 0) print(`${minuteLine(minutes + 1, minute, before)}\n`);
  const judged = judgeSoak(findings);
  print(soakSummary(findings, judged));
  return { findings, judged };
}

async function idle({ clients }: IdleOptions, context: Context): Promise<Outcome> {
  const findings = await measureIdle(clients, context);
  const judged = judgeIdle(findings);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  print(
    `${clients} idle clients on one worker: ${megabytes(findings.beforeBytes)} before, ` +
      `${megabytes(findings.residentBytes)} with them, ${megabytes(findings.afterBytes)} after they left.\n` +
      judged.map(({ limit, found, verdict }) => `Limit ${verdict}: ${limit}; ${found}.\n`).join(''),
  );
  return { findings, judged };
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  process.exitCode = await main();
} catch (caught) {
  const { text, status } = formatCaught(caught);
  process.stderr.write(text);
  process.exitCode = status;
}
