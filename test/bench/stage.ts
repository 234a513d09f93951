import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { writeCertificate } from './certificate.ts';
import { type Child, startChild } from './child.ts';
import type { CertificateFiles, Contender, ProxyName, RunningProxy } from './contender.ts';
import type { Cores } from './cores.ts';
import { firstAnswer } from './first-answer.ts';
import type { BenchOptions } from './options.ts';
import type { Work } from './works.ts';

export interface StageOptions {
  readonly bench: BenchOptions;
  /** All that this machine has; the work picks its own. */
  readonly proxies: readonly Contender[];
  readonly cores: Cores | undefined;
  /** An empty folder that everything started here may fill. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what is under way. */
  readonly progress: (line: string) => void;
}

/** Origin and proxies of one work, running. */
export interface Stage {
  readonly work: Work;
  readonly options: StageOptions;
  /** Who serves. */
  readonly running: ReadonlyMap<ProxyName, RunningProxy>;
  /** Takes somebody out whose numbers would mean nothing. The gateway itself is never taken out: its failure is thrown. */
  exclude(name: ProxyName, error: unknown): void;
  /** Who does not take part, and why. */
  readonly without: ReadonlyMap<ProxyName, string>;
}

const ORIGIN_MAIN = resolve(import.meta.dirname, 'origin-process.js');

/** Whatever happens, all that was started is ended again. Throws `Unfit` when the gateway cannot do this work yet. */
export async function onStage<T>(
  work: Work,
  options: StageOptions,
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const children: Child[] = [];
  const running = new Map<ProxyName, RunningProxy>();
  const without = new Map<ProxyName, string>();
  const stage: Stage = {
    work,
    options,
    running,
    without,
    exclude(name, error) {
      options.signal.throwIfAborted();
      if (name === 'sluice') throw error;
      running.delete(name);
      const why = inOneLine(error);
      without.set(name, why);
      options.progress(`${name} is left out: ${why}`);
    },
  };
  try {
    const certificate = await writeCertificate(options.folder);
    const origins = await startOrigin(work, options, certificate, children);
    // All of them run all the time: who is not measured idles, and everybody stays warm between rounds.
    for (const proxy of options.proxies.filter(({ name }) => work.proxies.includes(name))) {
      options.signal.throwIfAborted();
      try {
        const started = await startProxy(proxy, { work, options, origins, certificate });
        children.push(started.child);
        running.set(proxy.name, started);
        await firstAnswer(started, work, certificate, options.signal);
      } catch (error) {
        stage.exclude(proxy.name, error);
      }
    }
    return await play(stage);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

interface Order {
  readonly work: Work;
  readonly options: StageOptions;
  readonly origins: readonly string[];
  readonly certificate: CertificateFiles;
}

async function startProxy(
  proxy: Contender,
  { work, options, origins, certificate }: Order,
): Promise<RunningProxy> {
  const folder = join(options.folder, proxy.name);
  await mkdir(folder, { recursive: true });
  return proxy.start({
    origins,
    certificate,
    folder,
    setup: work.setup,
    connections: work.traffic.connections,
    core: options.cores?.proxy,
  });
}

async function startOrigin(
  work: Work,
  { cores, folder }: StageOptions,
  certificate: CertificateFiles,
  children: Child[],
): Promise<readonly string[]> {
  const tls = work.setup.upstream === 'https' ? [certificate.cert, certificate.key] : [];
  const origin = await startChild({
    name: 'origin',
    command: process.execPath,
    args: [ORIGIN_MAIN, String(work.bodyBytes), ...tls],
    core: cores?.origin,
    cwd: folder,
    ready: (line) => line.startsWith('{'),
  });
  children.push(origin);
  const { ports } = JSON.parse(origin.readyLine) as { ports: readonly number[] };
  return ports.map((port) => `${work.setup.upstream}://127.0.0.1:${port}`);
}

/** The reason as far as a table has room for it; a program that would not start said why in its last line. */
function inOneLine(error: unknown): string {
  if (!(error instanceof SluiceError)) return (error as Error).message.split('\n')[0]!;
  const { why, logTail } = error.details;
  const said = logTail?.at(-1);
  return [error.message, why, said]
    .flatMap((part) => part?.split('\n')[0] ?? [])
    .join(': ')
    .replace(/\.$/, '');
}
