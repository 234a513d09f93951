import type { Origin } from './origin.ts';

export type FaultName = 'killed' | 'frozen' | 'answers 503' | 'half-open' | 'slow' | 'cuts answers';

export interface Fault {
  readonly name: FaultName;
  /** Traffic has to leave. Slow answers are answers. */
  readonly movesTraffic: boolean;
  /** Milliseconds until the other side has answered for the first time; undefined: only reported. */
  readonly detectedWithinMs: number | undefined;
  begin(primary: Origin): Promise<void>;
  end(primary: Origin): Promise<void>;
}

const well = (primary: Origin): Promise<void> => primary.mode('well');

/** What happens to the primary, in this order. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'killed',
    movesTraffic: true,
    detectedWithinMs: undefined,
    // Resets, not only ends: a machine that died, not a process that closed up.
    begin: async (primary) => primary.die(),
    async end(primary) {
      await primary.kill();
      await primary.start();
    },
  },
  {
    name: 'frozen',
    movesTraffic: true,
    detectedWithinMs: 500,
    begin: async (primary) => primary.signal('SIGSTOP'),
    end: async (primary) => primary.signal('SIGCONT'),
  },
  {
    name: 'answers 503',
    movesTraffic: true,
    detectedWithinMs: undefined,
    begin: (primary) => primary.mode('unavailable'),
    end: well,
  },
  {
    name: 'half-open',
    movesTraffic: true,
    detectedWithinMs: 500,
    begin: (primary) => primary.mode('halfOpen'),
    end: well,
  },
  {
    name: 'slow',
    movesTraffic: false,
    detectedWithinMs: undefined,
    begin: (primary) => primary.mode('slow'),
    end: well,
  },
  {
    name: 'cuts answers',
    movesTraffic: true,
    detectedWithinMs: undefined,
    begin: (primary) => primary.mode('cut'),
    end: well,
  },
];
