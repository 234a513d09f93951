import type { Clock } from '../core/ports.ts';
import { groupIsOurs, isAlive, type ProcessIdentity } from './proc.ts';
import { terminateGroup } from './process-group.ts';
import type { ProcessExit, SupervisedProcess } from './supervised-process.ts';

const LOOK_EVERY_MS = 200;

/** Goes on with a process that somebody else started: we are not its parent, so its end is found by looking. */
export function adopt(identity: ProcessIdentity, output: { close(): void }, clock: Clock): SupervisedProcess {
  let ending: Promise<void> | undefined;
  let dispose = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    dispose = clock.every(LOOK_EVERY_MS, () => {
      if (!isAlive(identity)) resolve();
    });
  });
  const exited = gone.then(async (): Promise<ProcessExit> => {
    dispose();
    if (ending !== undefined) await ending;
    else if (groupIsOurs(identity)) await terminateGroup(identity.pid, 0, clock);
    output.close();
    return { code: undefined, reason: 'ended; who started it was not there to see how' };
  });
  return {
    identity,
    exited,
    async terminate(graceMs) {
      ending ??= terminateGroup(identity.pid, graceMs, clock);
      await exited;
    },
    leave() {
      dispose();
      output.close();
    },
  };
}
