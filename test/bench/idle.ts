import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { startChild } from './child.ts';
import { type ProxyName, type RunningProxy, Unfit } from './contender.ts';
import type { OwnLoadOrders } from './load.ts';
import { cpuMicros, residentBytes } from './proc.ts';
import { onStage, type Stage, type StageOptions } from './stage.ts';
import type { Work } from './works.ts';

/** One proxy with many clients that stay connected and say nothing. */
export interface IdleSample {
  /** Of the data-path process, before the first client. */
  readonly beforeBytes: number;
  /** With all of them, after some seconds of silence. */
  readonly residentBytes: number;
  /** After each of them has asked once more and fallen silent again. */
  readonly againBytes: number;
  /** Part of a core that the silence costs. */
  readonly idleCpu: number;
}

export interface IdleRun {
  readonly samples: ReadonlyMap<ProxyName, IdleSample>;
  readonly without: ReadonlyMap<ProxyName, string>;
}

const IDLE_MAIN = resolve(import.meta.dirname, 'idle-process.js');
const SILENCE_MS = 3_000;
/** Files a proxy and our clients may hold beside the connections. */
const SPARE_FILES = 1_000;

export async function runIdle(work: Work, options: StageOptions): Promise<IdleRun> {
  const files = openFilesAllowed(readFileSync('/proc/self/limits', 'utf8'));
  if (files < work.traffic.connections + SPARE_FILES) {
    throw new Unfit(`a process may open ${files} files here (ulimit -n)`);
  }
  return onStage(work, options, async (stage) => {
    const samples = new Map<ProxyName, IdleSample>();
    for (const [name, proxy] of [...stage.running]) {
      try {
        const sample = await holdClients(proxy, stage);
        samples.set(name, sample);
        options.progress(`  ${name} ${(sample.residentBytes / 1e6).toFixed(0)} MB`);
      } catch (error) {
        stage.exclude(name, error);
      }
    }
    return { samples, without: stage.without };
  });
}

async function holdClients(proxy: RunningProxy, { work, options }: Stage): Promise<IdleSample> {
  const pid = proxy.dataPathPid ?? proxy.child.pid;
  const orders: OwnLoadOrders = {
    url: proxy.url,
    traffic: work.traffic,
    bodyBytes: work.bodyBytes,
    seconds: 0,
  };
  const clients = await startChild({
    name: 'the idle clients',
    command: process.execPath,
    args: [IDLE_MAIN, JSON.stringify(orders)],
    core: options.cores?.load,
    cwd: options.folder,
    ready: (line) => line.startsWith('{'),
  });
  const all = async (order: 'open' | 'ask'): Promise<void> => {
    const said = JSON.parse(await clients.ask(order)) as { answered: number; errors: readonly string[] };
    if (said.answered === work.traffic.connections) return;
    throw new Error(
      `${said.answered} of ${work.traffic.connections} clients answered: ${said.errors.join(', ')}`,
    );
  };
  try {
    const beforeBytes = residentBytes(pid);
    await all('open');
    const busy = cpuMicros(pid);
    await systemClock.sleep(SILENCE_MS, options.signal);
    const idleCpu = (cpuMicros(pid) - busy) / (SILENCE_MS * 1000);
    const resident = residentBytes(pid);
    await all('ask');
    await systemClock.sleep(SILENCE_MS, options.signal);
    return { beforeBytes, residentBytes: resident, againBytes: residentBytes(pid), idleCpu };
  } finally {
    await clients.stop();
  }
}

/** The hard limit: Node and the proxies raise the soft one themselves. */
export function openFilesAllowed(limits: string): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard ?? 0);
}
