import type { Clock } from '../core/ports.ts';
import { hasCode } from '../lib/has-code.ts';
import { allProcesses } from './proc.ts';

const LOOK_EVERY_MS = 25;
/** A process in uninterruptible sleep outlives SIGKILL; waiting for it for ever would hang the owner. */
const GIVE_UP_AFTER_MS = 5_000;

/** Signals all processes of the group. A group that is gone is fine. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: nobody left to hear it.
  }
}

/** Zombies do not count: where no init reaps them they stay for ever. */
async function groupIsAlive(group: number): Promise<boolean> {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
  }
  const processes = await allProcesses();
  if (processes.length === 0) return true;
  return processes.some((one) => one.processGroup === group && one.state !== 'Z');
}

/**
 * Resolves when nobody of the group is left: SIGTERM at once, SIGKILL after the grace. The leader alone does not
 * count, for a shell dies of SIGTERM while the server below it still drains.
 */
export async function terminateGroup(group: number, graceMs: number, clock: Clock): Promise<void> {
  const begun = clock.monotonic();
  signalGroup(group, graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
  while (await groupIsAlive(group)) {
    const elapsed = clock.monotonic() - begun;
    if (elapsed >= graceMs) {
      if (elapsed >= graceMs + GIVE_UP_AFTER_MS) return;
      // Repeated, because a process forked at the moment of the first signal misses it.
      signalGroup(group, 'SIGKILL');
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}
