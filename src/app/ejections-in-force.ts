import type { OriginId } from '../core/ids.ts';
import type { EjectionSignal } from '../core/signals.ts';

/** What workers told each other of ejections, as far as it still matters: for workers that start later. */
export interface EjectionsInForce {
  add(ejection: EjectionSignal): void;
  /** In the order in which they were said: a later word may take back a part of an earlier one. */
  at(now: number): readonly EjectionSignal[];
}

export function createEjectionsInForce(): EjectionsInForce {
  const words = new Map<OriginId, readonly EjectionSignal[]>();

  return {
    add(ejection) {
      const before = words.get(ejection.origin) ?? [];
      words.set(ejection.origin, [...before.filter((one) => !covers(ejection, one)), ejection]);
    },
    at(now) {
      for (const [origin, said] of words) if (!said.some((one) => one.until > now)) words.delete(origin);
      return [...words.values()].flat();
    },
  };
}

/** Everything that the other one speaks of is spoken of here, and later. */
function covers(later: EjectionSignal, { application, release, address }: EjectionSignal): boolean {
  return (
    (later.application === undefined || later.application === application) &&
    (later.release === undefined || later.release === release) &&
    (later.address === undefined || later.address === address)
  );
}
