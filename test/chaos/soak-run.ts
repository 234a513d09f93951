import { resolve } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { residentBytes } from '../bench/proc.ts';
import { firstAnswer } from './first-answer.ts';
import { type Forked, forkProgram } from './forked.ts';
import { freePorts } from './free-ports.ts';
import { type GatewayProcess, metricsOf, startGatewayProcess } from './gateway-process.ts';
import {
  NOTHING_YET,
  type SoakOrder,
  type SoakOriginWord,
  type SoakWord,
  type Tally,
} from './soak-messages.ts';
import type { SoakRunOptions } from './soak-options.ts';
import type { Rest, SoakSample } from './soak-report.ts';
import { connectionsIn, openFilesOf } from './sockets.ts';

export interface SoakFindings {
  /** Nobody was there, after a short warm-up. */
  readonly before: Rest;
  readonly samples: readonly SoakSample[];
  /** Some seconds after the last client left. */
  readonly after: Rest;
  readonly tally: Tally;
  readonly restarts: number;
}

export interface SoakContext {
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told each second. */
  readonly onSample: (sample: SoakSample) => void;
}

const WARM_UP_MS = 10_000;
const SAMPLE_EVERY_MS = 1_000;
/** One origin lives and is away for so long; the other one never dies. */
const ALIVE_MS = 4_000;
const AWAY_MS = 1_000;
/** Longer than idle connections to origins are kept (4 s), and generous: this asks whether, not how fast. */
const REST_WITHIN_MS = 30_000;

const ORIGIN = resolve(import.meta.dirname, 'soak-origin-process.js');
const USERS = resolve(import.meta.dirname, 'soak-load-process.js');

type Users = Forked<SoakOrder, SoakWord>;

/** Whatever happens, all that was started is ended again. */
export async function runSoak(options: SoakRunOptions, context: SoakContext): Promise<SoakFindings> {
  const { signal } = context;
  const [steady, mortal] = await freePorts(2);
  const restarting = new AbortController();
  let gateway: GatewayProcess | undefined;
  let users: Users | undefined;
  const origin = await startOrigin(steady!);
  const restarts = restartForEver(mortal!, AbortSignal.any([signal, restarting.signal]));
  // Awaited at the end; until then its failure is nobody's.
  restarts.catch(() => undefined);
  try {
    gateway = await startGatewayProcess(soakConfiguration([steady!, mortal!]), context.folder);
    await firstAnswer(gateway.port, undefined, signal);
    const ports = { gateway: gateway.port, origins: new Set([steady!, mortal!]) };
    const observed = { gateway, ports, signal };

    users = forkProgram<SoakOrder, SoakWord>(USERS, []);
    // Files that are opened once, at the first of a kind of request, are no leak.
    await load(users, gateway, options, () => systemClock.sleep(WARM_UP_MS, signal));
    const before = await comeToRest(observed, undefined);

    let tally = NOTHING_YET;
    const samples: SoakSample[] = [];
    const stop = users.onMessage((word) => {
      if (word.kind === 'tally') tally = word.tally;
    });
    await load(users, gateway, options, async () => {
      const startedAt = systemClock.monotonic();
      for (let second = 1; second <= options.minutes * 60; second += 1) {
        const dueIn = startedAt + second * SAMPLE_EVERY_MS - systemClock.monotonic();
        await systemClock.sleep(Math.max(0, dueIn), signal);
        const sample = { ...(await look(observed)), tally };
        samples.push(sample);
        context.onSample(sample);
      }
    });
    stop();
    const after = await comeToRest(observed, before);
    restarting.abort();
    return { before, samples, after, tally, restarts: await restarts };
  } finally {
    restarting.abort();
    await users?.kill();
    await gateway?.child.stop();
    await origin.kill();
    await restarts;
  }
}

async function load(
  users: Users,
  gateway: GatewayProcess,
  { users: count, seed }: SoakRunOptions,
  meanwhile: () => Promise<void>,
): Promise<void> {
  users.send({ kind: 'come', setting: { port: gateway.port, users: count, seed } });
  await meanwhile();
  const left = users.next('left', (word): word is SoakWord => word.kind === 'left');
  users.send({ kind: 'leave' });
  await left;
}

interface Watched {
  readonly gateway: GatewayProcess;
  readonly ports: { readonly gateway: number; readonly origins: ReadonlySet<number> };
  readonly signal: AbortSignal;
}

async function look({ gateway, ports }: Watched): Promise<Rest> {
  const { workerPid } = gateway;
  try {
    const { files, sockets } = openFilesOf(workerPid);
    const metrics = await metricsOf(gateway);
    return {
      residentBytes: residentBytes(workerPid),
      files,
      ...connectionsIn(sockets, ports),
      active: metrics.get('sluice_active_requests') ?? Number.NaN,
      upgrades: metrics.get('sluice_upgrades') ?? Number.NaN,
    };
  } catch (error) {
    throw new SluiceError('NOT_HEALTHY', 'the worker of the gateway cannot be watched any more', {
      where: `process ${workerPid}`,
      why: (error as Error).message,
      logTail: gateway.child.lastLines(),
    });
  }
}

/** Until nothing is left open that was not before, or the time is over; what is there then. */
async function comeToRest(watched: Watched, before: Rest | undefined): Promise<Rest> {
  const deadline = systemClock.monotonic() + REST_WITHIN_MS;
  for (;;) {
    await systemClock.sleep(SAMPLE_EVERY_MS, watched.signal);
    const now = await look(watched);
    const isClean = now.upstream + now.clients + now.active + now.upgrades === 0;
    if (isClean && (before === undefined || now.files <= before.files)) return now;
    if (systemClock.monotonic() > deadline) return now;
  }
}

async function startOrigin(port: number): Promise<Forked<never, SoakOriginWord>> {
  const origin = forkProgram<never, SoakOriginWord>(ORIGIN, [String(port)]);
  await origin.next('listening', (word): word is SoakOriginWord => word.kind === 'listening');
  return origin;
}

/** How often it died. */
async function restartForEver(port: number, signal: AbortSignal): Promise<number> {
  let deaths = 0;
  while (!signal.aborted) {
    const origin = await startOrigin(port);
    await pause(ALIVE_MS, signal);
    await origin.kill();
    if (signal.aborted) break;
    deaths += 1;
    await pause(AWAY_MS, signal);
  }
  return deaths;
}

/** A sleep that an abort only shortens. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await systemClock.sleep(ms, signal).catch(() => {});
}

/** One platform of two origins; one that died is trusted again soon, so that it dies under traffic each time. */
function soakConfiguration(ports: readonly number[]): string {
  const origins = ports.map((port) => `"http://127.0.0.1:${port}"`).join(', ');
  return `version: 1
platforms:
  here: { provider: static, origins: [${origins}] }
applications:
  soak:
    health: { path: /bytes/10, every: 500ms }
    policy: demo
    targets:
      here: { tier: 1 }
gateway:
  listen: [{ host: 127.0.0.1, port: 0 }]
  ejection: { base: 500ms, max: 1s }
`;
}
