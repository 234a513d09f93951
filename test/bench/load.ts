import { spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { h2loadArguments, readH2load } from './h2load.ts';
import { output } from './output.ts';
import type { Traffic, Work } from './works.ts';
import { readWrk, wrkArguments } from './wrk.ts';

/** What the clients saw of one measurement. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** One line for each kind of failure; any at all makes the measurement worthless. */
  readonly errors: readonly string[];
  /** Paced load only: by how much the generator itself was late, 99th percentile. */
  readonly lateP99Micros?: number;
  /** Paced load only: requests that fell due and never found a free connection; their wait is in the latencies. */
  readonly givenUp?: number;
}

export interface LoadGenerator {
  readonly name: string;
  run(order: LoadOrder): Promise<LoadResult>;
}

export interface LoadOrder {
  readonly url: string;
  readonly work: Work;
  readonly seconds: number;
  readonly core: number | undefined;
  /** A folder for its files. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export type LoadChoice = 'own' | 'wrk' | 'auto';

/** wrk and h2load are lighter than we are, and nobody can say that we favour ourselves; only pacing is always ours. */
export function loadFor(work: Work, wanted: LoadChoice): LoadGenerator {
  if (work.traffic.kind === 'paced') return ownLoad('paced-process.js', 'own, by the clock');
  const program = work.setup.downstream === 'h2' ? 'h2load' : 'wrk';
  const own =
    program === 'wrk'
      ? ownLoad('load-process.js', 'own')
      : ownLoad('http2-load-process.js', 'own, node:http2');
  if (wanted === 'own') return own;
  if (isOnPath(program)) return program === 'wrk' ? wrkLoad : h2loadLoad;
  if (wanted === 'auto') return own;
  throw new SluiceError('USAGE', `${program} is not on PATH`, { remedy: 'install it, or use --load own' });
}

const wrkLoad: LoadGenerator = {
  name: 'wrk',
  async run(order) {
    return readWrk(await output('wrk', 'wrk', await wrkArguments(order), order), order.work.bodyBytes);
  },
};

const h2loadLoad: LoadGenerator = {
  name: 'h2load',
  async run(order) {
    const log = join(order.folder, 'h2load.log');
    const printed = await output('h2load', 'h2load', h2loadArguments(order, log), order);
    const result = readH2load(printed, await readFile(log, 'utf8'), order);
    await rm(log);
    return result;
  },
};

/** What our own generators are told, as one JSON argument. */
export interface OwnLoadOrders {
  readonly url: string;
  readonly traffic: Traffic;
  readonly bodyBytes: number;
  readonly seconds: number;
}

function ownLoad(main: string, name: string): LoadGenerator {
  return {
    name,
    async run(order) {
      const { url, work, seconds } = order;
      const orders: OwnLoadOrders = { url, traffic: work.traffic, bodyBytes: work.bodyBytes, seconds };
      const args = [resolve(import.meta.dirname, main), JSON.stringify(orders)];
      return JSON.parse(await output('the load generator', process.execPath, args, order)) as LoadResult;
    },
  };
}

export function isOnPath(program: string): boolean {
  // Asked for its version wrk prints the usage too and ends with 1: only that it could be started counts.
  return spawnSync(program, ['--version']).error === undefined;
}
