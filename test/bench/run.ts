import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Child, startChild } from './child.ts';
import type { Contender, ProxyName, RunningProxy } from './contender.ts';
import type { Cores } from './cores.ts';
import type { LoadGenerator } from './load.ts';
import { measure, type Sample } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Work } from './works.ts';

export interface RunOptions {
  readonly bench: BenchOptions;
  readonly proxies: readonly Contender[];
  readonly load: LoadGenerator;
  readonly cores: Cores | undefined;
  /** An empty folder that everything started here may fill. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what is under way. */
  readonly progress: (line: string) => void;
}

/** What each proxy showed, in the order of the rounds. */
export type Samples = ReadonlyMap<ProxyName, readonly Sample[]>;

const ORIGIN_MAIN = resolve(import.meta.dirname, 'origin-process.js');
const FIRST_ANSWER_MS = 15_000;

/** One work, every proxy. Whatever happens, all that was started is ended again. */
export async function runWork(work: Work, options: RunOptions): Promise<Samples> {
  const { bench, cores, folder, load, progress, signal } = options;
  const children: Child[] = [];
  try {
    const originUrl = await startOrigin(work, options, children);
    // All of them run all the time: who is not measured idles, and everybody stays warm between rounds.
    const running = new Map<ProxyName, RunningProxy>();
    for (const proxy of options.proxies) {
      signal.throwIfAborted();
      const own = join(folder, proxy.name);
      await mkdir(own, { recursive: true });
      const started = await proxy.start({ originUrl, folder: own, core: cores?.proxy });
      children.push(started.child);
      running.set(proxy.name, started);
      await firstAnswer(started, work, signal);
    }

    const shared = { load, work, cores, folder, signal };
    for (const [name, proxy] of running) {
      progress(`warm-up ${name}`);
      await measure({ ...shared, proxy, seconds: bench.warmUpSeconds });
    }

    const samples = new Map<ProxyName, Sample[]>();
    const names = [...running.keys()];
    for (let round = 0; round < bench.rounds; round++) {
      // Another one begins each time, so that no proxy always follows the same neighbour.
      for (const name of rotated(names, round)) {
        const sample = await measure({ ...shared, proxy: running.get(name)!, seconds: bench.seconds });
        samples.set(name, [...(samples.get(name) ?? []), sample]);
        progress(`round ${round + 1}/${bench.rounds} ${name} ${sample.cpuMicros.toFixed(1)} µs/request`);
      }
    }
    return samples;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

async function startOrigin(work: Work, { cores, folder }: RunOptions, children: Child[]): Promise<string> {
  const origin = await startChild({
    name: 'origin',
    command: process.execPath,
    args: [ORIGIN_MAIN, String(work.bodyBytes)],
    core: cores?.origin,
    cwd: folder,
    ready: (line) => line.startsWith('{'),
  });
  children.push(origin);
  const { port } = JSON.parse(origin.readyLine) as { port: number };
  return `http://127.0.0.1:${port}`;
}

/** Listening is not serving: the gateway sends nothing to an origin before it has seen it healthy. */
async function firstAnswer(proxy: RunningProxy, work: Work, signal: AbortSignal): Promise<void> {
  const until = systemClock.monotonic() + FIRST_ANSWER_MS;
  let why = '';
  while (systemClock.monotonic() < until) {
    try {
      const answer = await fetch(proxy.url, { signal });
      const { byteLength } = await answer.arrayBuffer();
      if (answer.status === 200 && byteLength === work.bodyBytes) return;
      why = `status ${answer.status}, ${byteLength} bytes`;
    } catch (error) {
      signal.throwIfAborted();
      why = (error as Error).message;
    }
    await systemClock.sleep(50, signal);
  }
  throw new SluiceError('NOT_HEALTHY', `${proxy.child.name} does not serve the origin`, {
    where: proxy.url,
    why,
    logTail: proxy.child.lastLines().slice(-15),
  });
}

export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
