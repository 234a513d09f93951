import { SluiceError } from '../../src/core/errors.ts';
import type { RunningProxy } from './contender.ts';
import type { Cores } from './cores.ts';
import type { LoadGenerator } from './load.ts';
import { coreBusyMicros, cpuMicros, residentBytes, treeOf } from './proc.ts';
import type { Work } from './works.ts';

/** One proxy, one round. */
export interface Sample {
  /** CPU time of the data-path process, user and system, per request. */
  readonly cpuMicros: number;
  /** The same for all processes of the proxy together. */
  readonly allCpuMicros: number;
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Of the data-path process, at the end. */
  readonly residentBytes: number;
  /** Part of the proxy's core that went to others meanwhile, 0 to 1; null where nothing is pinned. */
  readonly foreign: number | null;
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
  const pids = treeOf(proxy.child.pid);
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
    throw unfit(
      proxy,
      'did not answer every request well',
      seen.errors.join(', ') || 'there was no answer at all',
    );
  }
  const after = reading(proxy, pids, cores);
  const all = after.all - before.all;
  return {
    cpuMicros: (after.dataPath - before.dataPath) / seen.requests,
    allCpuMicros: all / seen.requests,
    requestsPerSecond: seen.requests / seen.seconds,
    p50Micros: seen.p50Micros,
    p99Micros: seen.p99Micros,
    residentBytes: residentBytes(proxy.dataPathPid),
    foreign:
      cores === undefined
        ? null
        : Math.max(0, after.coreBusy - before.coreBusy - all) / ((after.at - before.at) * 1000),
  };
}

function reading(proxy: RunningProxy, pids: readonly number[], cores: Cores | undefined) {
  try {
    return {
      at: performance.now(),
      dataPath: cpuMicros(proxy.dataPathPid),
      all: pids.reduce((sum, pid) => sum + cpuMicros(pid), 0),
      coreBusy: cores === undefined ? 0 : coreBusyMicros(cores.proxy),
    };
  } catch (error) {
    // Its /proc files went with it.
    throw unfit(proxy, 'lost one of its processes', (error as Error).message);
  }
}

function unfit(proxy: RunningProxy, what: string, why: string): SluiceError {
  return new SluiceError('NOT_HEALTHY', `${proxy.child.name} ${what}`, {
    where: proxy.url,
    why,
    remedy: 'numbers of a proxy that fails mean nothing: mend it first',
    logTail: proxy.child.lastLines().slice(-15),
  });
}
