import { SluiceError } from '../../src/core/errors.ts';
import type { RunningProxy } from './contender.ts';
import type { Cores } from './cores.ts';
import type { LoadGenerator } from './load.ts';
import {
  allowedCores,
  coreBusyMicros,
  cpuMicros,
  residentBytes,
  schedule,
  softIrqThread,
  treeOf,
} from './proc.ts';
import type { Work } from './works.ts';

/** One proxy, one round. */
export interface Sample {
  /** CPU time of the data-path process, user and system, per request; null: there is no proxy. */
  readonly cpuMicros: number | null;
  /** The same for all processes of the proxy together. */
  readonly allCpuMicros: number | null;
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Of the data-path process, at the end. */
  readonly residentBytes: number | null;
  /** Part of the proxy's core that went to others meanwhile, 0 to 1; null where nothing is pinned. */
  readonly foreign: number | null;
  /** Part of the time in which the data-path process could have run and another one did. */
  readonly waited: number | null;
  /** Network work per request that the kernel moved to its own thread: in nobody's CPU time. Null: not visible here. */
  readonly softIrqMicros: number | null;
  /** Paced load: by how much the generator itself was late. */
  readonly lateP99Micros: number | null;
  /** Paced load: requests it could not even send, because the proxy kept all connections busy. */
  readonly givenUp: number | null;
}

export interface MeasureOptions {
  readonly proxy: RunningProxy;
  readonly load: LoadGenerator;
  readonly work: Work;
  readonly seconds: number;
  readonly cores: Cores | undefined;
  readonly folder: string;
  readonly signal: AbortSignal;
}

export async function measure(options: MeasureOptions): Promise<Sample> {
  const { proxy, cores } = options;
  const pids = proxy.dataPathPid === undefined ? [] : treeOf(proxy.child.pid);
  if (cores !== undefined) refuseUnpinned(proxy, pids, cores.proxy);
  const before = reading(proxy, pids, cores);
  const seen = await options.load.run({
    url: proxy.url,
    work: options.work,
    seconds: options.seconds,
    core: cores?.load,
    folder: options.folder,
    signal: options.signal,
  });
  if (seen.errors.length > 0 || seen.requests === 0) {
    const why = seen.errors.join(', ') || 'there was no answer at all';
    throw unfit(proxy, 'did not answer every request well', why);
  }
  const after = reading(proxy, pids, cores);
  const tookMicros = (after.at - before.at) * 1000;
  const all = after.all - before.all;
  const there = proxy.dataPathPid !== undefined;
  const perRequest = (micros: number): number => micros / seen.requests;
  return {
    cpuMicros: there ? perRequest(after.dataPath - before.dataPath) : null,
    allCpuMicros: there ? perRequest(all) : null,
    requestsPerSecond: seen.requests / seen.seconds,
    p50Micros: seen.p50Micros,
    p99Micros: seen.p99Micros,
    residentBytes: there ? residentBytes(proxy.dataPathPid) : null,
    foreign:
      cores === undefined || !there ? null : Math.max(0, after.coreBusy - before.coreBusy - all) / tookMicros,
    waited:
      after.waited === null || before.waited === null ? null : (after.waited - before.waited) / tookMicros,
    softIrqMicros:
      after.softIrq === null || before.softIrq === null ? null : perRequest(after.softIrq - before.softIrq),
    lateP99Micros: seen.lateP99Micros ?? null,
    givenUp: seen.givenUp ?? null,
  };
}

function reading(proxy: RunningProxy, pids: readonly number[], cores: Cores | undefined) {
  const { dataPathPid } = proxy;
  const softIrqPid = cores === undefined ? undefined : softIrqThread(cores.proxy);
  try {
    return {
      at: performance.now(),
      dataPath: dataPathPid === undefined ? 0 : cpuMicros(dataPathPid),
      waited: dataPathPid === undefined ? null : (schedule(dataPathPid)?.waitedMicros ?? null),
      all: pids.reduce((sum, pid) => sum + cpuMicros(pid), 0),
      coreBusy: cores === undefined ? 0 : coreBusyMicros(cores.proxy),
      softIrq: softIrqPid === undefined ? null : cpuMicros(softIrqPid),
    };
  } catch (error) {
    // Its /proc files went with it.
    throw unfit(proxy, 'lost one of its processes', (error as Error).message);
  }
}

/** A thread that may move to the load's core would be measured there, with that core's caches and neighbours. */
function refuseUnpinned(proxy: RunningProxy, pids: readonly number[], core: number): void {
  const elsewhere = pids.flatMap(allowedCores).find((list) => list !== String(core));
  if (elsewhere === undefined) return;
  throw unfit(proxy, 'is not pinned', `a thread may run on ${elsewhere}, and should on ${core} only`);
}

function unfit(proxy: RunningProxy, what: string, why: string): SluiceError {
  return new SluiceError('NOT_HEALTHY', `${proxy.child.name} ${what}`, {
    where: proxy.url,
    why,
    remedy: 'numbers of a proxy that fails mean nothing: mend it first',
    logTail: proxy.child.lastLines().slice(-15),
  });
}
