import type { VirtualClock } from '../../src/lib/virtual-clock.ts';

/** Lets virtual time pass in small steps, so that what awaits a timer can set its next one. */
export async function pass(clock: VirtualClock, ms: number, stepMs = 10): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await settled();
  }
}

/** Everything that waits for nothing but promises has gone on. */
export function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
