import type { DeploySettings } from './deploy-settings.ts';
import type { WireError } from './errors.ts';
import type { DeploymentPhase } from './events.ts';
import type { ApplicationName, DeploymentId, PlatformName, ReleaseId } from './ids.ts';
import type { OperationHandle, PlanChange, PlanCheck, StagedArtifact } from './provider.ts';
import type { Release } from './release.ts';
import type { ReleaseOutcome } from './traffic.ts';

/** One act of bringing a release to platforms, as the journal keeps it: enough to go on in another process. */
export interface DeploymentRecord {
  readonly id: DeploymentId;
  readonly application: ApplicationName;
  readonly release: Release;
  readonly startedAt: number;
  /** `configurationDigest` of what it was deployed with. */
  readonly configuration?: string;
  /** A server's deployments go on by themselves when its controller was replaced; a command's wait for a person. */
  readonly by?: 'server' | 'command';
  /** It brings back a release that was there before. */
  readonly kind?: 'rollback';
  /** As the configuration said when it began. Left out: rolling, each platform for itself. */
  readonly deploy?: DeploySettings;
  /** Where the platforms stand together; left out where each goes for itself. */
  readonly together?: Together;
  readonly finishedAt?: number;
  readonly outcome?: DeploymentOutcome;
  readonly targets: Readonly<Record<PlatformName, DeploymentTarget>>;
}

/** `rolledBack`: it failed, and on every platform the release before it serves again. */
export type DeploymentOutcome = 'done' | 'partly' | 'failed' | 'stopped' | 'rolledBack';

/** How far all platforms have come in step. */
export interface Together {
  readonly stage: 'preparing' | 'trying' | 'promoting' | 'takingBack';
  /** The step that is under way, from 0; as many as there are: all are passed. */
  readonly step: number;
  /** Part of every platform's traffic that the new release gets now, 0 to 1. */
  readonly part: number;
  /** Since when it gets that. */
  readonly stepSince?: number;
  /** Since when two releases serve. */
  readonly skewSince?: number;
  /** What the old release did before it had to share. */
  readonly before?: readonly ReleaseOutcome[];
  /** Why it is taken back. */
  readonly why?: WireError;
}

export interface DeploymentTarget {
  readonly phase: DeploymentPhase;
  readonly startedAt: number;
  /** What is under way on the platform; stored before it is polled for the first time. */
  readonly handle?: OperationHandle;
  /** Which step began it: `trial:2`. Left out: its kind says it. */
  readonly handleOf?: string;
  readonly artifact?: StagedArtifact;
  /** What served before, to be retired after the cut-over. */
  readonly previous?: ReleaseId;
  /** A release may run there beside the one that serves. Written before it is begun. */
  readonly trial?: true;
  /** What served may have been replaced. Written before it is begun. */
  readonly inPlace?: true;
  /** The release that serves there again after all was taken back. */
  readonly back?: ReleaseId;
  readonly firstInstanceMs?: number;
  readonly allInstancesMs?: number;
  /** The answering instance could not be asked for its release. */
  readonly unproven?: boolean;
  readonly error?: WireError;
  readonly endedAt?: number;
}

export interface PlatformPlan {
  readonly platform: PlatformName;
  readonly changes: readonly PlanChange[];
  /** What stands in the way, and what does not. */
  readonly checks: readonly PlanCheck[];
  /** The platform could not be read. */
  readonly error?: WireError;
}

/** Moves on for ever; nothing follows these. */
export function isTerminal(phase: DeploymentPhase): boolean {
  return (
    phase === 'live' ||
    phase === 'retired' ||
    phase === 'failed' ||
    phase === 'stopped' ||
    phase === 'rolledBack'
  );
}
