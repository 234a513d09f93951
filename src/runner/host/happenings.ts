import type { Clock, Dispose } from '../../core/ports.ts';
import type { RunningInstance } from '../../core/runner.ts';

const KEPT = 500;

/** What became of instances: plain JSON, as the daemon's API tells it. */
export interface Happening {
  /** Rises; with `memory` it names one happening for ever. */
  readonly seq: number;
  readonly at: number;
  readonly instance: string;
  readonly kind: 'started' | 'ready' | 'exited' | 'crash-loop' | 'stopping' | 'stopped';
  readonly text: string;
}

/** The newest of them, as long as this daemon lives. */
export interface Happenings {
  /** Another number means another memory: all of it is new. */
  readonly memory: number;
  /** Of one application and what runs beside it, oldest first. */
  after(application: string, seq: number): readonly Happening[];
  close(): void;
}

export function createHappenings(
  onChange: (listener: (instance: RunningInstance) => void) => Dispose,
  clock: Clock,
): Happenings {
  const kept: Happening[] = [];
  const states = new Map<string, RunningInstance['state']>();
  let seq = 0;

  const stop = onChange((instance) => {
    const { id, state } = instance;
    if (states.get(id) === state) return;
    if (state === 'stopped') states.delete(id);
    else states.set(id, state);
    kept.push({ seq: ++seq, at: clock.now(), instance: id, ...told(instance) });
    if (kept.length > KEPT) kept.shift();
  });

  return {
    memory: clock.now(),
    after: (application, last) =>
      kept.filter(
        (one) =>
          one.seq > last &&
          (one.instance.startsWith(`${application}/`) || one.instance.startsWith(`${application}--`)),
      ),
    close: stop,
  };
}

function told({ state, pid, port, restarts, reason }: RunningInstance): Pick<Happening, 'kind' | 'text'> {
  const why = reason ?? 'no reason known';
  switch (state) {
    case 'starting':
      return { kind: 'started', text: restarts === 0 ? 'starts' : `starts again, for the ${restarts}. time` };
    case 'running':
      return { kind: 'ready', text: `is ready on port ${port}${pid === undefined ? '' : `, pid ${pid}`}` };
    case 'backing-off':
      return { kind: 'exited', text: why };
    case 'crash-loop':
      return { kind: 'crash-loop', text: `crashes again and again: ${why}` };
    case 'stopping':
      return { kind: 'stopping', text: 'is told to end' };
    case 'stopped':
      return { kind: 'stopped', text: 'has ended' };
  }
}
