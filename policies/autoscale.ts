import type { LoadFacts, LoadMemory, LoadSettings } from '../src/core/autoscale.ts';

/** So much above or below its target is as good as on it: else every breath of the load would move something. */
const TOLERANCE = 0.1;
/** More than this at once is more likely a measuring error than a need. */
const MOST_AT_ONCE = 3;

export interface Autoscaled {
  /** Undefined: as it is. */
  readonly instances: number | undefined;
  readonly reason: string;
  readonly memory: LoadMemory;
}

/**
 * How many instances the load asks for. It grows at once and shrinks late: to the most that was wanted within the
 * cool-down. What is not known asks for nothing, and instances that are still coming up are waited for.
 */
export function autoscale(
  settings: LoadSettings,
  facts: LoadFacts,
  memory: LoadMemory,
  now: number,
): Autoscaled {
  const { running, desired } = facts;
  if (running === 0 || desired === 0) return { instances: undefined, reason: 'nothing runs', memory };
  const asked = wishesOf(settings, facts);
  const [most] = [...asked].sort((a, b) => b.wanted - a.wanted);
  if (most === undefined) return { instances: undefined, reason: 'its load is not known', memory };
  const { min, max, coolDownMs } = settings;
  const bounded = Math.min(max, Math.max(min, Math.min(most.wanted, desired * MOST_AT_ONCE)));
  // At first what is there counts as wanted: nobody knows yet what for.
  const before = memory.length === 0 ? [{ at: now, wanted: Math.min(max, desired) }] : memory;
  const recent = [...before.filter(({ at }) => now - at < coolDownMs), { at: now, wanted: bounded }];
  const highest = Math.max(...recent.map(({ wanted: one }) => one));
  const { reason } = most;
  if (bounded > desired) {
    // Those that come up have not taken their part yet.
    if (running < desired) return { instances: undefined, reason: 'instances are coming up', memory: recent };
    return { instances: bounded, reason, memory: recent };
  }
  if (highest < desired) return { instances: highest, reason, memory: recent };
  return { instances: undefined, reason: bounded < desired ? 'it cools down' : reason, memory: recent };
}

interface Wish {
  readonly wanted: number;
  readonly reason: string;
}

function wishesOf(settings: LoadSettings, { running, rps, p95Ms, cpu }: LoadFacts): readonly Wish[] {
  const { rpsPerInstance, latencyMs, cpu: target } = settings;
  const wishes: Wish[] = [];
  if (rpsPerInstance !== undefined) {
    const reason = `${rps.toFixed(0)} rps on ${running} instances, ${rpsPerInstance} each are wanted`;
    wishes.push({ wanted: wanted(running, rps / running / rpsPerInstance), reason });
  }
  if (latencyMs !== undefined && p95Ms > 0) {
    const reason = `p95 ${p95Ms.toFixed(0)} ms, ${latencyMs} ms is wanted`;
    wishes.push({ wanted: wanted(running, p95Ms / latencyMs), reason });
  }
  if (target !== undefined && cpu !== undefined) {
    const percent = (part: number) => `${Math.round(part * 100)} %`;
    const reason = `cpu ${percent(cpu)}, ${percent(target)} is wanted`;
    wishes.push({ wanted: wanted(running, cpu / target), reason });
  }
  return wishes;
}

/** `load`: of one instance, as a part of what it is to carry. */
function wanted(running: number, load: number): number {
  if (Math.abs(load - 1) <= TOLERANCE) return running;
  return Math.max(1, Math.ceil(running * load - 1e-9));
}
