import type { Dispose } from '../../../src/core/ports.ts';
import { emitter } from '../../../src/lib/emitter.ts';
import { createPassing, FAULTS, type Fault, isFault, type PassingFault } from '../../../src/lib/faults.ts';

/** Which faults are on. Those that act at a moment listen; the others are asked. */
export interface FaultSwitches {
  isOn(fault: Fault): boolean;
  /** Of those that end by themselves: does it hit this call? */
  take(fault: PassingFault): boolean;
  set(fault: Fault, on: boolean): void;
  active(): readonly Fault[];
  onChange(listener: (change: { readonly fault: Fault; readonly on: boolean }) => void): Dispose;
}

export function createFaults(): FaultSwitches {
  const on = new Set<Fault>();
  const changes = emitter<{ fault: Fault; on: boolean }>();
  const isOn = (fault: Fault): boolean => on.has(fault);

  function set(fault: Fault, value: boolean): void {
    if (on.has(fault) === value) return;
    if (value) on.add(fault);
    else on.delete(fault);
    changes.fire({ fault, on: value });
  }

  return {
    isOn,
    set,
    take: createPassing({ isOn, end: (fault) => set(fault, false) }),
    active: () =>
      Object.keys(FAULTS)
        .filter(isFault)
        .filter((fault) => on.has(fault)),
    onChange: changes.event,
  };
}
