import type { PlatformName } from './ids.ts';

/** What a decision wants done beside moving traffic; the orchestrator does it under the lease. */
export type Intent =
  | {
      readonly kind: 'scale';
      readonly platform: PlatformName;
      readonly instances: number;
      readonly reason: string;
    }
  /** Freezes what would write to the platform until its API answers. */
  | { readonly kind: 'freeze-deployments'; readonly platform: PlatformName; readonly reason: string }
  /** Runs once for each epoch, before the writer moves. */
  | {
      readonly kind: 'promote-writer';
      readonly platform: PlatformName;
      readonly epoch: number;
      readonly reason: string;
    }
  /** For a person to confirm. */
  | {
      readonly kind: 'propose';
      readonly what: 'rollback' | 'drain';
      readonly platform: PlatformName | undefined;
      readonly reason: string;
    }
  | { readonly kind: 'notify'; readonly text: string }
  /** Automatic failover has stopped; a person is called. */
  | { readonly kind: 'call'; readonly reason: string };
