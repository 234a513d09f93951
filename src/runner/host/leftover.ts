import type { Clock } from '../../core/ports.ts';
import { groupIsOurs, isAlive, type ProcessIdentity } from '../proc.ts';
import { terminateGroup } from '../process-group.ts';
import type { ProcessRecord } from './state.ts';

/** For processes of which nothing is known any more but their pid. */
const GRACE_MS = 5_000;

/** The process that a dead daemon put on record; undefined when it never got as far as a process. */
export function recordedIdentity(record: ProcessRecord): ProcessIdentity | undefined {
  return record.pid === 0 ? undefined : { pid: record.pid, startTicks: record.startTicks };
}

/** Ends what is left of it: the process, or what it started and left behind. */
export async function endLeftover(record: ProcessRecord, clock: Clock): Promise<void> {
  const identity = recordedIdentity(record);
  if (identity === undefined || !groupIsOurs(identity)) return;
  await terminateGroup(identity.pid, isAlive(identity) ? GRACE_MS : 0, clock);
}
