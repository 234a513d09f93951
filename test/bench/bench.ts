import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { checkAccounting } from './accounting.ts';
import { type Contender, Unfit } from './contender.ts';
import { coresHere } from './cores.ts';
import { runIdle } from './idle.ts';
import { CONCLUSIVE_ROUNDS } from './judge.ts';
import { loadFor } from './load.ts';
import { machineHere } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { installPeers } from './peer-packages.ts';
import { PROXIES } from './proxies.ts';
import { disagrees, idleReport, type Report, trafficReport, type WorkReport } from './report.ts';
import { runRounds } from './run.ts';
import type { StageOptions } from './stage.ts';
import { WORKS, type Work } from './works.ts';

export interface BenchEnvironment {
  readonly signal: AbortSignal;
  /** Told what is under way. */
  readonly progress: (line: string) => void;
  /** Told the report so far after each work: an interrupted run keeps what it has. */
  readonly save: (report: Report) => Promise<void>;
}

/** All works that were ordered, one after the other. */
export async function bench(options: BenchOptions, environment: BenchEnvironment): Promise<Report> {
  const { signal, progress, save } = environment;
  const works = WORKS.filter(({ key }) => options.works.includes(key));
  const { proxies, versions, skipped } = whoIsHere(works, progress);
  const cores = coresHere();
  const pinnedTo = 'unpinned' in cores ? undefined : cores;
  const head = {
    schema: 2 as const,
    at: new Date().toISOString(),
    machine: machineHere(cores),
    accounting: await checkAccounting(pinnedTo?.proxy, signal),
    rounds: options.rounds,
    seconds: options.seconds,
    warmUpSeconds: options.warmUpSeconds,
    versions,
    skipped,
  };
  const done: WorkReport[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  try {
    for (const work of works) {
      progress(`${work.key}: ${work.name}`);
      const own = join(folder, work.key);
      await mkdir(own);
      done.push(
        await oneWork(work, { bench: options, proxies, cores: pinnedTo, folder: own, signal, progress }),
      );
      await save({ ...head, works: done });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { ...head, works: done };
}

/** A work that cannot be done is no reason to lose the others' numbers. */
async function oneWork(work: Work, stage: StageOptions): Promise<WorkReport> {
  const { key, name } = work;
  try {
    return work.traffic.kind === 'idle'
      ? idleReport(work, await runIdle(work, stage))
      : await traffic(work, stage);
  } catch (error) {
    stage.signal.throwIfAborted();
    const outcome = error instanceof Unfit ? 'skipped' : 'failed';
    const { message, details } = SluiceError.from(error);
    const why = [message, details.why].filter((part) => part !== undefined).join(': ');
    stage.progress(`  ${outcome}: ${[why, ...(details.logTail ?? [])].join('\n    ')}`);
    return { key, name, outcome, why: why.split('\n')[0]! };
  }
}

async function traffic(work: Work, stage: StageOptions): Promise<WorkReport> {
  const load = loadFor(work, stage.bench.load);
  const first = trafficReport(work, load.name, await runRounds(work, load, stage));
  // Fewer rounds cannot agree, however often they are repeated.
  if (stage.bench.rounds < CONCLUSIVE_ROUNDS || !disagrees(first)) return first;
  stage.progress('  the rounds disagree: once more');
  const second = trafficReport(work, load.name, await runRounds(work, load, stage));
  return { ...second, firstTry: first.proxies };
}

function whoIsHere(works: readonly Work[], progress: (line: string) => void) {
  const wanted = PROXIES.filter(({ name }) => works.some((work) => work.proxies.includes(name)));
  const notInstalled = installPeers();
  if (notInstalled !== undefined) progress(`the Node peers could not be installed: ${notInstalled}`);
  const versions: Record<string, string> = { node: process.versions.node, openssl: process.versions.openssl };
  const skipped: Record<string, string> = {};
  const proxies: Contender[] = [];
  for (const proxy of wanted) {
    const described = proxy.describe();
    if ('missing' in described) {
      skipped[proxy.name] = described.missing;
      progress(`without ${proxy.name}: ${described.missing}`);
    } else {
      if (proxy.name !== 'direct') versions[proxy.name] = described.version;
      proxies.push(proxy);
    }
  }
  return { proxies, versions, skipped };
}
