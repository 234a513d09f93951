import type { ActKind, OperatorAct } from './acts.ts';
import type { DeploymentRecord, PlatformPlan } from './deployment.ts';
import type { DrillRecord } from './drill.ts';
import type { WireError } from './errors.ts';
import type { ApplicationName, DeploymentId, PlatformName, ReleaseId } from './ids.ts';
import type { Release } from './release.ts';
import type { TaskRecord } from './task-power.ts';

/**
 * What a person can ask of Sluice's orchestrator, the same whether it runs in a controller behind the admin API or
 * in the command's own process.
 */
export interface Control {
  /** `archive` is the bundle as tar.gz with this digest. */
  deploy(wish: WireWish): Promise<{ readonly id: DeploymentId; readonly release: Release }>;
  resume(id: DeploymentId): Promise<{ readonly id: DeploymentId; readonly release: Release }>;
  /** Brings a release back that was deployed before, with the configuration it had. */
  rollback(wish: RollbackWish): Promise<{ readonly id: DeploymentId; readonly release: Release }>;
  /** Who is changing which application right now. */
  locks(): Promise<readonly KnownLock[]>;
  /** Takes the lock from whoever deploys the application; undefined: nobody did. */
  breakLock(application: ApplicationName, reason: string): Promise<KnownLock | undefined>;
  plan(wish: WireWish): Promise<readonly PlatformPlan[]>;
  destroy(wish: DestroyWish): Promise<Readonly<Record<PlatformName, Destroyed>>>;
  releases(application: ApplicationName): Promise<ReleasesView>;
  deployments(): Promise<readonly DeploymentRecord[]>;
  /** Runs a command once with the release that is live; answers when it is begun. */
  run(wish: RunWish): Promise<StartedRun>;
  /** Of all applications, oldest first. */
  tasks(): Promise<readonly TaskRecord[]>;
  /** Ends a run; undefined: there is none of that name under way. */
  cancelRun(run: string): Promise<TaskRecord | undefined>;
  /** A person knows how a run ended that nobody can be asked about; undefined: there is none that is open. */
  settleRun(run: string, as: 'succeeded' | 'failed'): Promise<TaskRecord | undefined>;
}

export interface RunWish {
  readonly application: ApplicationName;
  /** One that is configured. */
  readonly task: string | undefined;
  /** Or a shell command. */
  readonly command: string | undefined;
  /** Undefined: as the task says, the writer, or the first target where it is live. */
  readonly platform: PlatformName | undefined;
  readonly timeoutMs: number | undefined;
}

export interface StartedRun {
  readonly run: string;
  readonly platform: PlatformName;
  readonly release: ReleaseId;
}

export interface WireWish {
  readonly application: ApplicationName;
  readonly platforms: readonly PlatformName[] | undefined;
  /** Undefined: an image, which both sides have in their configuration. */
  readonly archive: Buffer | undefined;
  readonly digest: string;
  /** The commit it is of. */
  readonly commit?: string;
  /** `configurationDigest` of the application as the one who asks knows it; undefined: whatever the server has. */
  readonly configuration?: string;
}

export interface RollbackWish {
  readonly application: ApplicationName;
  /** `r41` or an id; undefined: the one before. */
  readonly to: string | undefined;
  /** Undefined: all targets of the application. */
  readonly platforms: readonly PlatformName[] | undefined;
  /** Also past a migration that is declared `contract`. */
  readonly force: boolean;
}

export interface DestroyWish {
  readonly application: ApplicationName;
  /** Undefined: all targets of the application. */
  readonly platforms: readonly PlatformName[] | undefined;
  /** Also what was made for its services, with the data in it. */
  readonly services: boolean;
}

export interface Destroyed {
  /** Null: nothing of the application is left. */
  readonly error: WireError | null;
  /** What was made for its services and stays: `service instance shop-db`. */
  readonly left: readonly string[];
}

export interface KnownLock {
  readonly application: ApplicationName;
  /** `deploy`: a deployment, rollback, scaling or healing; `writer`: a promotion; `task`: a task that is begun. */
  readonly what: 'deploy' | 'writer' | 'task';
  readonly holder: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly expiresAt: number;
}

export interface ReleasesView {
  readonly releases: readonly Release[];
  readonly live: Readonly<Record<PlatformName, ReleaseId>>;
}

/** What people may order of judgement; the orchestrator is not asked. */
export interface Acts {
  /** Refused with SAFETY_VETO when it would take the last healthy platform away, unless forced. */
  order(wish: ActWish): Promise<Ordered>;
  /** Takes back all orders of this kind on exactly this subject. Lifting nothing succeeds. */
  lift(wish: LiftWish): Promise<{ readonly lifted: number; readonly replicas: number }>;
  /** In force now, oldest first. */
  acts(): readonly OperatorAct[];
}

export interface ActWish {
  readonly kind: ActKind;
  readonly platform: PlatformName | undefined;
  readonly application: ApplicationName | undefined;
  readonly weights?: Readonly<Record<PlatformName, number>>;
  readonly who: string;
  readonly reason: string;
  /** Undefined: until it is lifted. */
  readonly forMs: number | undefined;
  readonly force: boolean;
  /** As in `OperatorAct`; never from outside. */
  readonly drill?: string;
  readonly atOnce?: boolean;
}

/** With `drill`: only what stands in its name. */
export type LiftWish = Omit<ActWish, 'weights' | 'forMs' | 'force' | 'atOnce'>;

/** Rehearsed losses of platforms. */
export interface Drills {
  /** Begins it, or throws SAFETY_VETO with all that speaks against it. */
  drill(wish: DrillWish): Promise<DrillRecord>;
  /** Oldest first; one under way stands as it is now. */
  drills(): Promise<readonly DrillRecord[]>;
}

export interface DrillWish {
  /** Undefined: the only one that runs there. */
  readonly application: ApplicationName | undefined;
  readonly platform: PlatformName;
  /** A configured drill; undefined: the first one of the platform, or the defaults. */
  readonly name: string | undefined;
  /** Undefined: as configured, or two minutes. */
  readonly forMs: number | undefined;
  /** Also when the others cannot carry all, or another writer would be promoted. */
  readonly force: boolean;
  readonly who: string;
}

export interface Ordered {
  readonly act: OperatorAct;
  /** How many replicas obey. */
  readonly replicas: number;
}
