import type { Dispose } from '../../../src/core/ports.ts';
import { emitter } from '../../../src/lib/emitter.ts';
import { FAULTS, type Fault, isFault } from '../../../src/lib/faults.ts';

/** Which faults are on. Those that act at a moment listen; the others are asked. */
export interface FaultSwitches {
  isOn(fault: Fault): boolean;
  set(fault: Fault, on: boolean): void;
  active(): readonly Fault[];
  onChange(listener: (change: { readonly fault: Fault; readonly on: boolean }) => void): Dispose;
}

export function createFaults(): FaultSwitches {
  const on = new Set<Fault>();
  const changes = emitter<{ fault: Fault; on: boolean }>();
  return {
    isOn: (fault) => on.has(fault),
    set(fault, value) {
      if (on.has(fault) === value) return;
      if (value) on.add(fault);
      else on.delete(fault);
      changes.fire({ fault, on: value });
    },
    active: () =>
      Object.keys(FAULTS)
        .filter(isFault)
        .filter((fault) => on.has(fault)),
    onChange: changes.event,
  };
}
