import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { DrillOptions } from './drill-options.ts';
import { FAULTS, type Fault } from './faults.ts';
import { firstAnswer } from './first-answer.ts';
import { foreignPart, readCpu } from './foreign-cpu.ts';
import { freePorts } from './free-ports.ts';
import { compareLedger, type LedgerFindings } from './ledger.ts';
import { type Disturbance, inWords, type Judged, judgeFault, judgeLedger } from './limits.ts';
import { Load } from './load.ts';
import { monotonicMs } from './monotonic.ts';
import { type Observed, observe } from './observe.ts';
import { Origin } from './origin.ts';
import type { Contender, JournalLine, RunningProxy } from './proxies/contender.ts';
import type { Sample } from './samples.ts';

/** One proxy at one rate, through all faults. */
export interface Pass {
  readonly proxy: Contender['name'];
  readonly rate: number;
  readonly faults: readonly FaultReport[];
  readonly ledger: LedgerFindings;
  readonly ledgerLimits: readonly Judged[];
}

export interface FaultReport {
  readonly fault: string;
  readonly observed: Observed;
  /** Of this fault alone. */
  readonly ledger: LedgerFindings;
  readonly disturbance: Disturbance;
  readonly limits: readonly Judged[];
  /** What the proxy says it did meanwhile, with seconds since the fault began; where it keeps a journal. */
  readonly journal: readonly string[];
}

export interface PassOptions {
  readonly drill: DrillOptions;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

const BODY_BYTES = 2_048;
const LATENCY_MS = 20;
const TIMEOUT_MS = 4_000;
/** To see that the primary has the traffic when its next fault begins. */
const HAS_TRAFFIC_MS = 2_000;

const SETTLE_WITHIN_MS = 15_000;
const SETTLED_FOR_MS = 1_000;
const SETTLED_MS = 5 * LATENCY_MS;

/** How long everything is left alone first, and how long the traffic may take to come back. */
interface Pace {
  readonly quietMs: number;
  readonly backMs: number;
}
const USUAL_PACE: Pace = { quietMs: 3_000, backMs: 60_000 };
const QUICK_PACE: Pace = { quietMs: 1_000, backMs: 20_000 };

/** Something seen between two collections, before the ledgers are read. */
interface Seen {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly beganAt: number;
  readonly observed: Observed;
  readonly samples: readonly Sample[];
  readonly disturbance: Disturbance;
  readonly limits: readonly Judged[];
}

/** Whatever happens, all that was started is ended again. */
export async function runPass(contender: Contender, rate: number, options: PassOptions): Promise<Pass> {
  const { drill, signal, progress } = options;
  const folder = join(options.folder, `${contender.name}-${rate}`);
  await mkdir(folder, { recursive: true });
  const pace = drill.quick ? QUICK_PACE : USUAL_PACE;
  const ports = await freePorts(3);
  const primary = originOn(ports[0]!, 'primary', folder);
  const secondary = originOn(ports[1]!, 'secondary', folder);
  let proxy: RunningProxy | undefined;
  let load: Load | undefined;
  try {
    await Promise.all([primary.start(), secondary.start()]);
    proxy = await contender.start({
      primary: primary.setting.port,
      secondary: secondary.setting.port,
      port: ports[2]!,
      folder,
      quick: drill.quick,
    });
    await firstAnswer(proxy.port, 'primary', signal);
    load = new Load();
    load.start({
      port: proxy.port,
      ratePerSecond: rate,
      unsafeEvery: 10,
      timeoutMs: TIMEOUT_MS,
      bodyBytes: BODY_BYTES,
    });
    const seen: Seen[] = [await quiet(load, pace, signal)];
    for (const fault of FAULTS.filter(({ name }) => drill.faults.includes(name))) {
      progress(`${contender.name}, ${rate} requests/s: ${fault.name}`);
      const again = { load, primary, pace, seconds: drill.seconds, signal };
      let one = await outage(fault, again);
      if (one.limits.some(({ verdict }) => verdict === 'inconclusive')) {
        progress(`  ${inWords(one.disturbance)}: once more`);
        seen.push({ ...one, name: `${one.name} (disturbed)`, limits: [] });
        one = await outage(fault, again);
      }
      seen.push(one);
    }
    await load.stop();
    const { samples: last } = await load.collect();
    const journal = (await proxy.journal?.()) ?? [];
    await proxy.child.stop();
    proxy = undefined;
    const executed = [...(await primary.executed()), ...(await secondary.executed())];
    const ledger = compareLedger([...seen.flatMap(({ samples }) => samples), ...last], executed);
    return {
      proxy: contender.name,
      rate,
      faults: seen.map(({ name, beganAt, observed, samples, disturbance, limits }, index) => ({
        fault: name,
        observed,
        ledger: compareLedger(samples, executed),
        disturbance,
        limits,
        journal: journalBetween(journal, beganAt, seen[index + 1]?.beganAt),
      })),
      ledger,
      ledgerLimits: judgeLedger(ledger),
    };
  } finally {
    await load?.kill();
    await proxy?.child.stop();
    await Promise.all([primary.kill(), secondary.kill()]);
  }
}

/** Nothing is wrong yet: what the numbers of the faults are to be held against. */
async function quiet(load: Load, pace: Pace, signal: AbortSignal): Promise<Seen> {
  if ((await load.primaryServes(pace.backMs)) === undefined) {
    throw new SluiceError('NOT_HEALTHY', 'the primary has no traffic before anything was done to it');
  }
  await settle(load, signal);
  const epochBeganAt = systemClock.now();
  const cpu = readCpu(process.pid);
  const beganAt = monotonicMs();
  await systemClock.sleep(pace.quietMs, signal);
  const { samples, lateMs } = await load.collect();
  const disturbance = { lateMs, foreign: foreignPart(cpu, readCpu(process.pid)) };
  const observed = observe(samples, { beganAt, endedAt: beganAt, backAt: beganAt });
  return { name: 'none', beganAt: epochBeganAt, observed, samples, disturbance, limits: [] };
}

/** Cold code is no part of the question: until a second went by in which nobody waited long. */
async function settle(load: Load, signal: AbortSignal): Promise<void> {
  const deadline = monotonicMs() + SETTLE_WITHIN_MS;
  while (monotonicMs() < deadline) {
    await systemClock.sleep(SETTLED_FOR_MS, signal);
    const { samples } = await load.collect();
    const now = monotonicMs();
    if (observe(samples, { beganAt: now, endedAt: now, backAt: now }).slowestMs < SETTLED_MS) return;
  }
}

interface OutageOptions {
  readonly load: Load;
  readonly primary: Origin;
  readonly pace: Pace;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

async function outage(fault: Fault, { load, primary, pace, seconds, signal }: OutageOptions): Promise<Seen> {
  const hasTraffic = (await load.primaryServes(HAS_TRAFFIC_MS)) !== undefined;
  const epochBeganAt = systemClock.now();
  const cpu = readCpu(process.pid);
  const beganAt = monotonicMs();
  await fault.begin(primary);
  await systemClock.sleep(seconds * 1000, signal);
  const endedAt = monotonicMs();
  await fault.end(primary);
  const backAt = await load.primaryServes(pace.backMs);
  signal.throwIfAborted();
  const { samples, lateMs } = await load.collect();
  const disturbance = { lateMs, foreign: foreignPart(cpu, readCpu(process.pid)) };
  const observed = observe(samples, { beganAt, endedAt, backAt });
  const limits = judgeFault(fault, observed, { ...disturbance, hasTraffic });
  return { name: fault.name, beganAt: epochBeganAt, observed, samples, disturbance, limits };
}

function journalBetween(
  journal: readonly JournalLine[],
  from: number,
  to = Number.POSITIVE_INFINITY,
): readonly string[] {
  return journal
    .filter(({ at }) => at >= from && at < to)
    .map(({ at, text }) => `+${((at - from) / 1000).toFixed(2)} s ${text}`);
}

function originOn(port: number, name: string, folder: string): Origin {
  return new Origin({
    name,
    port,
    ledgerFile: join(folder, `${name}.ledger`),
    bodyBytes: BODY_BYTES,
    latencyMs: LATENCY_MS,
  });
}
