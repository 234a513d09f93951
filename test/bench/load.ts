import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { pinned } from './child.ts';
import type { Work } from './works.ts';
import { readWrk, wrkArguments } from './wrk.ts';

/** What the clients saw of one measurement. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** One line for each kind of failure; any at all makes the bench fail. */
  readonly errors: readonly string[];
}

/** A closed loop: each connection sends its next request when it has the answer to the last. */
export interface LoadGenerator {
  readonly name: 'own' | 'wrk';
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

const OWN_MAIN = resolve(import.meta.dirname, 'load-process.js');

export const ownLoad: LoadGenerator = {
  name: 'own',
  async run(order) {
    const { url, work, seconds } = order;
    const args = [OWN_MAIN, url, String(work.connections), String(work.bodyBytes), String(seconds)];
    return JSON.parse(await output('the load generator', process.execPath, args, order)) as LoadResult;
  },
};

export const wrkLoad: LoadGenerator = {
  name: 'wrk',
  async run(order) {
    return readWrk(await output('wrk', 'wrk', await wrkArguments(order), order), order.work.bodyBytes);
  },
};

export function hasWrk(): boolean {
  // It has no exit status for success here: asked for its version it prints the usage too and ends with 1.
  return spawnSync('wrk', ['-v']).error === undefined;
}

/** Runs a program to its end, in a process that the signal ends, and hands back what it printed. */
function output(name: string, command: string, args: readonly string[], order: LoadOrder): Promise<string> {
  order.signal.throwIfAborted();
  return new Promise((done, fail) => {
    const [first, ...rest] = pinned({ command, args, core: order.core });
    const child = spawn(first!, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: order.signal,
      killSignal: 'SIGKILL',
    });
    let printed = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    // Whoever stops the bench has a reason, and `AbortError` is not it.
    child.on('error', (error) => fail(order.signal.aborted ? order.signal.reason : error));
    child.on('close', (code, signal) => {
      if (code === 0) done(printed);
      else
        fail(
          new SluiceError('NOT_HEALTHY', `${name} ended with ${signal ?? code}`, { why: complaints.trim() }),
        );
    });
  });
}
