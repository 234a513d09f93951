import type { WireError } from './errors.ts';
import type { DeploymentPhase } from './events.ts';
import type { ApplicationName, DeploymentId, PlatformName, ReleaseId } from './ids.ts';
import type { OperationHandle, PlanChange, StagedArtifact } from './provider.ts';
import type { Release } from './release.ts';

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
  readonly finishedAt?: number;
  readonly outcome?: 'done' | 'partly' | 'failed' | 'stopped';
  readonly targets: Readonly<Record<PlatformName, DeploymentTarget>>;
}

export interface DeploymentTarget {
  readonly phase: DeploymentPhase;
  readonly startedAt: number;
  /** What is under way on the platform; stored before it is polled for the first time. */
  readonly handle?: OperationHandle;
  readonly artifact?: StagedArtifact;
  /** What served before, to be retired after the cut-over. */
  readonly previous?: ReleaseId;
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
  /** The platform could not be read. */
  readonly error?: WireError;
}

/** Moves on for ever; nothing follows these. */
export function isTerminal(phase: DeploymentPhase): boolean {
  return phase === 'live' || phase === 'retired' || phase === 'failed' || phase === 'stopped';
}
