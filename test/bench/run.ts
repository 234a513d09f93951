import type { ProxyName } from './contender.ts';
import type { LoadGenerator } from './load.ts';
import { measure, type Sample } from './measure.ts';
import { onStage, type Stage, type StageOptions } from './stage.ts';
import type { Work } from './works.ts';

/** What each proxy showed, in the order of the rounds. */
export type Samples = ReadonlyMap<ProxyName, readonly Sample[]>;

export interface Rounds {
  readonly samples: Samples;
  readonly without: ReadonlyMap<ProxyName, string>;
}

/** One work with traffic, every proxy of it: warm-up, then A B C, B C A, C A B … */
export function runRounds(work: Work, load: LoadGenerator, options: StageOptions): Promise<Rounds> {
  return onStage(work, options, async (stage) => {
    const { bench, progress } = options;
    const samples = new Map<ProxyName, Sample[]>();
    for (const name of [...stage.running.keys()]) {
      progress(`  warm-up ${name}`);
      await measureOne(stage, name, load, bench.warmUpSeconds);
    }
    for (let round = 0; round < bench.rounds; round++) {
      // Another one begins each time, so that no proxy always follows the same neighbour.
      for (const name of rotated([...stage.running.keys()], round)) {
        const sample = await measureOne(stage, name, load, bench.seconds);
        if (sample === undefined) continue;
        samples.set(name, [...(samples.get(name) ?? []), sample]);
        progress(`  round ${round + 1}/${bench.rounds} ${name} ${inWords(sample)}`);
      }
    }
    // In the order of the table; whoever failed in the middle has no numbers.
    const whole = [...stage.running.keys()].map((name) => [name, samples.get(name) ?? []] as const);
    return { samples: new Map(whole), without: stage.without };
  });
}

async function measureOne(
  stage: Stage,
  name: ProxyName,
  load: LoadGenerator,
  seconds: number,
): Promise<Sample | undefined> {
  const { work, options } = stage;
  const { cores, folder, signal } = options;
  try {
    return await measure({ proxy: stage.running.get(name)!, load, work, seconds, cores, folder, signal });
  } catch (error) {
    stage.exclude(name, error);
    return undefined;
  }
}

function inWords({ cpuMicros, p50Micros, p99Micros }: Sample): string {
  const latency = `p50 ${p50Micros.toFixed(0)} p99 ${p99Micros.toFixed(0)} µs`;
  return cpuMicros === null ? latency : `${cpuMicros.toFixed(1)} µs/request, ${latency}`;
}

export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  if (items.length === 0) return [];
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
