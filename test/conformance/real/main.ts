import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SLUICE_VERSION } from '../../../src/app/version.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { isoTime } from '../../../src/lib/iso-time.ts';
import { createRedactor } from '../../../src/lib/redact.ts';
import { cleanUp, describeEndpoint } from './clean-up.ts';
import { type Endpoint, endpointsIn, helpText } from './endpoints.ts';
import { casesOf, type EndpointReport, isGood, type Report, reportText } from './report.ts';

const USAGE = 2;
/** From dist/test/conformance/real. */
const ROOT = resolve(import.meta.dirname, '../../../..');

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    report: { type: 'string', default: 'conformance-report' },
  },
});
process.exitCode = await main();

/** 0 verified · 1 not · 2 nothing to verify, or what is given is not understood. */
async function main(): Promise<number> {
  const found = endpointsIn(process.env);
  if (found.length === 0) {
    process.stdout.write(helpText());
    return USAGE;
  }
  const endpoints: Endpoint[] = [];
  for (const one of found) {
    if ('endpoint' in one) endpoints.push(one.endpoint);
    else process.stderr.write(`${one.kind} is given and not understood:\n  ${one.faults.join('\n  ')}\n`);
  }
  if (endpoints.length < found.length) return USAGE;

  const prefix = `slc-${randomBytes(3).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-conformance-'));
  try {
    const report = await verify(endpoints, prefix, folder);
    const secrets = endpoints.flatMap((endpoint) => endpoint.secrets);
    const redactor = createRedactor(secrets);
    const text = redactor.text(reportText(report));
    await write(report.at, JSON.stringify(redactor.value(report), null, 2), text);
    process.stdout.write(text);
    return report.ok ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function verify(endpoints: readonly Endpoint[], prefix: string, folder: string): Promise<Report> {
  const at = isoTime(systemClock.now());
  const results = join(folder, 'results.json');
  const leftOutFile = join(folder, 'left-out');
  const trouble = await runSuite({ SLUICE_REAL_PREFIX: prefix, SLUICE_REAL_LEFT_OUT: leftOutFile }, results);
  const written: unknown = JSON.parse(await readFile(results, 'utf8').catch(() => 'null'));
  const leftOut = new Set((await readFile(leftOutFile, 'utf8').catch(() => '')).split('\n'));
  const reports: EndpointReport[] = [];
  for (const endpoint of endpoints) {
    const { kind, address } = endpoint;
    reports.push({
      kind,
      address,
      platform: await describeEndpoint(endpoint),
      cases: casesOf(kind, written, leftOut),
      cleanUp: await cleanUp(endpoint, prefix),
    });
  }
  return {
    ...{ at, sluice: SLUICE_VERSION, prefix },
    ok: trouble === undefined && isGood(reports),
    endpoints: reports,
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** Answers why it broke off; a run whose cases failed did not. Ctrl-C ends the suite, and what it made is removed. */
function runSuite(env: Record<string, string>, results: string): Promise<string | undefined> {
  const only = values.only === undefined ? [] : ['--testNamePattern', values.only];
  const args = [
    '--testMatch',
    '**/real/suite.real.ts',
    '--runInBand',
    '--json',
    '--outputFile',
    results,
    ...only,
  ];
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', join(ROOT, 'node_modules/jest/bin/jest.js'), ...args],
    // What jest prints on stdout is the JSON that it also writes to the file.
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  let interrupted = false;
  function interrupt(): void {
    interrupted = true;
    child.kill('SIGTERM');
  }
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  return new Promise((done) => {
    child.on('error', (error) => done(error.message));
    child.on('exit', (code, signal) => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      if (interrupted) done('interrupted');
      else done(code === 0 || code === 1 ? undefined : `the suite ended with ${signal ?? code}`);
    });
  });
}

async function write(at: string, json: string, text: string): Promise<void> {
  const folder = resolve(values.report);
  await mkdir(folder, { recursive: true });
  const name = join(folder, at.replaceAll(/[:.]/g, '-'));
  await writeFile(`${name}.json`, `${json}\n`);
  await writeFile(`${name}.txt`, text);
  process.stdout.write(`report: ${name}.json and .txt\n`);
}
