import { systemClock } from '../../../src/lib/clock.ts';
import type { Fault } from '../../../src/lib/faults.ts';
import type { FaultHarness, Injection } from './matrix.ts';

/** What a local platform offers for being broken. */
interface Breakable {
  readonly controlUrl: string;
  setFault(fault: Fault, on: boolean): void;
  /** Resolves when listeners followed the last switch; left out where they follow at once. */
  settled?(): Promise<void>;
}

export interface LocalFaults extends Pick<FaultHarness, 'active' | 'calm'> {
  readonly injections: Omit<FaultHarness['injections'], 'foreign deployment'>;
  turn(fault: Fault): () => void;
}

/** The misdeeds that local platforms have verbs for; who deploys beside us is each platform's own matter. */
export function localFaults(local: Breakable): LocalFaults {
  const turn = (fault: Fault) => () => local.setFault(fault, true);

  async function turnFor(fault: Fault, ms: number): Promise<void> {
    local.setFault(fault, true);
    await systemClock.sleep(ms);
    local.setFault(fault, false);
    await local.settled?.();
  }

  async function active(): Promise<readonly Fault[]> {
    const answer = await fetch(`${local.controlUrl}/faults`, { keepalive: false });
    const { on } = (await answer.json()) as { on: readonly Fault[] };
    return on;
  }

  /** In the middle of both: while the source is brought there, and while instances start. */
  const inBoth = (fault: Fault): Injection => ({ at: { staging: turn(fault), starting: turn(fault) } });

  return {
    turn,
    active,
    async calm() {
      for (const fault of await active()) local.setFault(fault, false);
      await local.settled?.();
    },
    injections: {
      'token refused midway': inBoth('api-401-once'),
      '429 with Retry-After': { at: { starting: () => turnFor('api-429', 1_500) } },
      '429 without Retry-After': { at: { starting: () => turnFor('api-429-bare', 1_500) } },
      '500 three times': inBoth('api-500-thrice'),
      'upload reset': { before: turn('upload-cut-once') },
      'job failed': { before: turn('jobs-fail') },
      'build failed': { before: turn('build-fails') },
      'crash loop': { variant: 'crashes' },
      quota: { at: { applying: turn('quota-exceeded') } },
      'stuck pending': { before: turn('stuck-pending'), startTimeoutMs: 3_000, factor: 4 },
      // 30 s of the orchestrator's and the provider's time.
      'API gone 30 s': { at: { staging: () => turnFor('api-down', 5_000) }, factor: 6 },
    },
  };
}
