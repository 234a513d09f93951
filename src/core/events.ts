import type { Culprit, Remedy } from './attribution.ts';
import type { ShedClass } from './decision.ts';
import type { DeploySettings } from './deploy-settings.ts';
import type { DeploymentOutcome } from './deployment.ts';
import type { DriftField } from './drift.ts';
import type { DrillEvidence, DrillOutcome } from './drill.ts';
import type { WireError } from './errors.ts';
import type { Facts } from './facts.ts';
import type { ApplicationName, DeploymentId, OriginId, PlatformName, ReleaseId } from './ids.ts';
import type { Intent } from './intent.ts';
import type { PowerAct } from './operations.ts';
import type { EjectionReason } from './signals.ts';
import type { ExplanationStep } from './status.ts';
import type { TaskState, TaskTrigger } from './task-power.ts';
import type { VerdictState } from './verdict.ts';

/** What happened, as the event log keeps it and `sluice events` prints it. docs/operating.md lists every type. */
export type DomainEvent =
  | {
      type: 'verdict.changed';
      application: ApplicationName;
      platform: PlatformName;
      from: VerdictState;
      to: VerdictState;
      cause: string;
      evidence: readonly string[];
    }
  | {
      type: 'decision.made';
      application: ApplicationName;
      shares: Readonly<Record<PlatformName, number>>;
      before: Readonly<Record<PlatformName, number>>;
      reasons: readonly string[];
      /** Why traffic is where it is, and all that led to it: for `explain --at`. */
      summary?: string;
      proof?: readonly ExplanationStep[];
      /** What it was decided from: for `simulate --from`. */
      facts?: Facts;
    }
  | {
      type: 'table.published';
      version: number;
      shares: Readonly<Record<ApplicationName, Readonly<Record<PlatformName, number>>>>;
    }
  | {
      type: 'origin.ejected';
      platform: PlatformName;
      origin: OriginId;
      reason: EjectionReason;
      worker: number;
      forMs: number;
      /** Only this address of the origin's name. */
      address?: string;
    }
  | {
      type: 'origin.readmitted';
      platform: PlatformName;
      origin: OriginId;
      worker: number;
      address?: string;
    }
  | { type: 'platform.api.down'; platform: PlatformName; error: string }
  | { type: 'platform.api.up'; platform: PlatformName; afterMs: number }
  /** Told by the platform itself, in its words; `platformAt` by its clock. */
  | {
      type: 'platform.event';
      application: ApplicationName;
      platform: PlatformName;
      id: string;
      kind: string;
      text: string;
      platformAt: number;
      count?: number;
    }
  | {
      type: 'deployment.started';
      deployment: DeploymentId;
      application: ApplicationName;
      release: ReleaseId;
      number: number;
      platforms: readonly PlatformName[];
      /** Left out: rolling. */
      strategy?: DeploySettings['strategy'];
      kind?: 'rollback';
    }
  /** All platforms go on together: `step` of `of`, from 1, and which part of the traffic the release gets now. */
  | {
      type: 'deployment.step';
      deployment: DeploymentId;
      application: ApplicationName;
      release: ReleaseId;
      step: number;
      of: number;
      part: number;
    }
  /** The ready ones wait for these. */
  | {
      type: 'deployment.waiting';
      deployment: DeploymentId;
      application: ApplicationName;
      platforms: readonly PlatformName[];
      message: string;
    }
  /** What live traffic says of the release so far. */
  | {
      type: 'deployment.gate';
      deployment: DeploymentId;
      application: ApplicationName;
      release: ReleaseId;
      step: number;
      of: number;
      state: 'watching' | 'paused' | 'passed' | 'failed';
      message: string;
    }
  | {
      type: 'deployment.takingBack';
      deployment: DeploymentId;
      application: ApplicationName;
      release: ReleaseId;
      error: WireError;
    }
  | {
      type: 'deployment.progress';
      deployment: DeploymentId;
      application: ApplicationName;
      platform: PlatformName;
      phase: DeploymentPhase;
      message: string;
      elapsedMs: number;
    }
  | {
      type: 'deployment.log';
      deployment: DeploymentId;
      platform: PlatformName;
      source: 'build' | 'app' | 'platform' | 'router';
      text: string;
    }
  | {
      type: 'deployment.target';
      deployment: DeploymentId;
      application: ApplicationName;
      platform: PlatformName;
      outcome: 'live' | 'failed' | 'stopped' | 'rolledBack';
      /** With `rolledBack`: what serves there now; left out: nothing of ours ever was replaced. */
      back?: ReleaseId;
      firstInstanceMs?: number;
      allInstancesMs?: number;
      unproven?: boolean;
      error?: WireError;
    }
  | {
      type: 'deployment.finished';
      deployment: DeploymentId;
      application: ApplicationName;
      release: ReleaseId;
      outcome: DeploymentOutcome;
      elapsedMs: number;
      seconds: Readonly<Record<PlatformName, number>>;
    }
  /** `deployment`: it runs before that promotes anything. `again`: it goes on, begun by a process that is gone. */
  | {
      type: 'task.started';
      application: ApplicationName;
      platform: PlatformName;
      task: string;
      run: string;
      release: ReleaseId;
      trigger: TaskTrigger;
      deployment?: DeploymentId;
      again?: true;
    }
  /** A time of the clock that nothing was run at, and nothing will be. */
  | {
      type: 'task.missed';
      application: ApplicationName;
      task: string;
      /** Epoch milliseconds. */
      dueAt: number;
      why: string;
    }
  | { type: 'task.log'; application: ApplicationName; platform: PlatformName; run: string; text: string }
  | {
      type: 'task.finished';
      application: ApplicationName;
      platform: PlatformName;
      task: string;
      run: string;
      outcome: Exclude<TaskState, 'begun'>;
      tookMs: number;
      deployment?: DeploymentId;
      error?: WireError;
    }
  | {
      type: 'fault.attributed';
      application: ApplicationName;
      culprit: Culprit;
      platforms: readonly PlatformName[];
      summary: string;
      evidence: readonly string[];
      remedy: Remedy;
    }
  | {
      type: 'fault.over';
      application: ApplicationName;
      culprit: Culprit;
      platforms: readonly PlatformName[];
    }
  /** `part` of every platform's share goes to the trials of the release; 0: none any more. */
  | { type: 'traffic.split'; application: ApplicationName; release: ReleaseId; part: number }
  /** `reasons`: all that stand in the way now, `rack: its API refuses our credentials`. */
  | { type: 'failover.unready'; application: ApplicationName; reasons: readonly string[] }
  | { type: 'failover.ready'; application: ApplicationName }
  /** `part` of all requests is answered 503; `by`: of each priority, where routes have several. 0: none any more. */
  | {
      type: 'shedding.changed';
      application: ApplicationName;
      part: number;
      by: readonly ShedClass[];
    }
  | { type: 'intent.raised'; application: ApplicationName; intent: Intent }
  /** `from`: what the platform said it was to run until then. */
  | {
      type: 'scale.ordered';
      application: ApplicationName;
      platform: PlatformName;
      from: number;
      to: number;
      reason: string;
    }
  /** `tookMs`: from the order until all of them served. */
  | {
      type: 'scale.finished';
      application: ApplicationName;
      platform: PlatformName;
      to: number;
      tookMs: number;
    }
  /** Once for each reason, not for each try. */
  | {
      type: 'scale.waiting';
      application: ApplicationName;
      platform: PlatformName;
      to: number;
      error: WireError;
    }
  | {
      type: 'scale.refused';
      application: ApplicationName;
      platform: PlatformName;
      to: number;
      error: WireError;
    }
  /** `process`: only that one of its processes. */
  | {
      type: 'power.ordered';
      application: ApplicationName;
      platform: PlatformName;
      act: PowerAct;
      process?: string;
      reason: string;
    }
  | {
      type: 'power.finished';
      application: ApplicationName;
      platform: PlatformName;
      act: PowerAct;
      process?: string;
      tookMs: number;
    }
  | {
      type: 'power.failed';
      application: ApplicationName;
      platform: PlatformName;
      act: PowerAct;
      process?: string;
      error: WireError;
    }
  | {
      type: 'writer.promoted';
      application: ApplicationName;
      platform: PlatformName;
      epoch: number;
      tookMs: number;
    }
  | {
      type: 'writer.failed';
      application: ApplicationName;
      platform: PlatformName;
      epoch: number;
      error: WireError;
    }
  /** A process beside web was told to run so many instances, because traffic is elsewhere than before. */
  | {
      type: 'placement.ordered';
      application: ApplicationName;
      platform: PlatformName;
      process: string;
      from: number;
      to: number;
      reason: string;
    }
  /** Once for each reason, not for each look. */
  | {
      type: 'placement.waiting';
      application: ApplicationName;
      platform: PlatformName;
      process: string;
      error: WireError;
    }
  /** `fields`: what is no longer as deployed there; `foreign`: what carries our name and not our stamp. */
  | {
      type: 'drift.found';
      application: ApplicationName;
      platform: PlatformName;
      fields: readonly DriftField[];
      foreign: readonly string[];
    }
  | {
      type: 'drift.healed';
      application: ApplicationName;
      platform: PlatformName;
      fields: readonly DriftField[];
      tookMs: number;
    }
  /** Somebody else put it right, or it was deployed anew. */
  | { type: 'drift.gone'; application: ApplicationName; platform: PlatformName }
  /** Once for each reason, not for each try. */
  | { type: 'drift.unhealed'; application: ApplicationName; platform: PlatformName; error: WireError }
  | {
      type: 'drill.started';
      drill: string;
      /** As configured, or `by hand`. */
      name: string;
      application: ApplicationName;
      platform: PlatformName;
      who: string;
      forMs: number;
    }
  /** Something got worse: the platform gets its traffic back at once. */
  | {
      type: 'drill.aborted';
      drill: string;
      name: string;
      application: ApplicationName;
      platform: PlatformName;
      why: readonly string[];
    }
  /** It did not begin. */
  | {
      type: 'drill.blocked';
      drill: string;
      name: string;
      application: ApplicationName;
      platform: PlatformName;
      who: string;
      why: readonly string[];
    }
  /** Its last event, whatever became of it. */
  | {
      type: 'drill.finished';
      drill: string;
      name: string;
      application: ApplicationName;
      platform: PlatformName;
      outcome: DrillOutcome;
      why: readonly string[];
      evidence: DrillEvidence;
    }
  | { type: 'process.started'; process: 'controller' | 'worker'; pid: number; index?: number }
  | { type: 'process.exited'; process: 'controller' | 'worker'; pid: number; index?: number; why: string }
  | {
      type: 'configuration.reloaded';
      /** `application shop`, `gateway.limits`. */
      changed: readonly string[];
      warnings: number;
    }
  | {
      type: 'configuration.refused';
      message: string;
      where?: string;
      why?: string;
      remedy?: string;
    }
  | { type: 'operator.act'; act: string; who: string; subject: string; reason: string };

export type EventType = DomainEvent['type'];

/** Sequence numbers rise by one within a log and never start again. */
export type LoggedEvent = { readonly seq: number; readonly at: number } & Readonly<DomainEvent>;

/** Deployment phase per release and platform (axis A): stored, and it only moves along these. */
export type DeploymentPhase =
  | 'queued'
  | 'staging'
  | 'staged'
  | 'applying'
  | 'starting'
  | 'verifying'
  | 'ready'
  /** It runs beside the one that serves: being started, or proven and waiting for the others. */
  | 'trying'
  | 'tried'
  | 'live'
  | 'draining'
  | 'retired'
  | 'failed'
  | 'stopped'
  | 'takingBack'
  | 'rolledBack';

/** All types with a line for people; docs and the events view are checked against it. */
export const EVENT_TYPES = {
  'verdict.changed': 'what we believe about a target changed',
  'decision.made': 'the policy gave other shares',
  'table.published': 'the workers were sent a new routing table',
  'origin.ejected': 'a worker stopped sending to an origin on its own',
  'origin.readmitted': 'a worker sends to an ejected origin again',
  'platform.api.down': 'a platform API does not answer; traffic stays',
  'platform.api.up': 'a platform API answers again',
  'platform.event': 'a platform tells what happened to an application there',
  'deployment.started': 'a release is being deployed',
  'deployment.step': 'a release gets its next part of the traffic, on every platform',
  'deployment.waiting': 'platforms that are ready wait for others',
  'deployment.gate': 'what live traffic says of a release that is being tried',
  'deployment.takingBack': 'a release failed and is being taken back everywhere',
  'deployment.progress': 'a deployment entered a phase or has news',
  'deployment.log': 'a line of build or start output',
  'deployment.target': 'a deployment ended on one platform',
  'deployment.finished': 'a deployment ended',
  'task.started': 'a command that runs once was begun: a migration, a job by the clock, or by hand',
  'task.missed': 'a process that runs by the clock was left out once, with the reason',
  'task.log': 'a line that such a command printed',
  'task.finished': 'a command that runs once ended',
  'fault.attributed': 'we believe to know whose fault something is',
  'fault.over': 'a fault is seen no more',
  'traffic.split': 'a part of the traffic goes to a release that is tried, or none any more',
  'failover.unready': 'a failover would not succeed as things are; a person should look now',
  'failover.ready': 'nothing stands in the way of a failover any more',
  'shedding.changed': 'another part of the requests is answered 503 for want of capacity, or none any more',
  'intent.raised': 'a decision wants something done beside moving traffic',
  'scale.ordered': 'a platform was told to run more or fewer instances',
  'scale.finished': 'all instances that were ordered serve',
  'scale.waiting': 'an order to scale waits, and is tried again by itself',
  'scale.refused': 'the platform refuses to scale; a person is needed',
  'power.ordered': 'a platform was told to stop, start or restart an application',
  'power.finished': 'an application is stopped, started or restarted on a platform',
  'power.failed': 'an application could not be stopped, started or restarted on a platform',
  'writer.promoted': 'another platform takes the writes now',
  'writer.failed': 'the next writer could not be promoted; a person is needed',
  'placement.ordered': 'a process that follows traffic was started or stopped on a platform',
  'placement.waiting': 'a process that follows traffic cannot be started or stopped there yet',
  'drift.found': 'a platform is no longer as it was deployed, or holds what is not ours under our name',
  'drift.healed': 'a platform was put back to the release and configuration that were deployed there',
  'drift.gone': 'a platform is as it was deployed again, and not by us',
  'drift.unhealed': 'a platform that differs could not be put back, or too often; a person is needed',
  'drill.started': 'a platform is taken out of service to show that the others carry its traffic',
  'drill.aborted': 'something got worse, and the platform gets its traffic back at once',
  'drill.blocked': 'a drill did not begin, with all that spoke against it',
  'drill.finished': 'a drill is over, with its outcome and what it has shown',
  'process.started': 'a controller or worker started',
  'process.exited': 'a controller or worker ended',
  'configuration.reloaded': 'a changed configuration is in force',
  'configuration.refused': 'a changed configuration was refused; the one before stays in force',
  'operator.act': 'a person did something',
} as const satisfies Record<EventType, string>;

/** The events that say why traffic is where it is; progress and log lines would push them out of a short list. */
export const TELLING_EVENTS: ReadonlySet<EventType> = new Set<EventType>([
  'verdict.changed',
  'decision.made',
  'origin.ejected',
  'platform.api.down',
  'platform.api.up',
  'fault.attributed',
  'traffic.split',
  'failover.unready',
  'failover.ready',
  'shedding.changed',
  'intent.raised',
  'scale.ordered',
  'scale.finished',
  'scale.waiting',
  'scale.refused',
  'power.ordered',
  'power.finished',
  'power.failed',
  'writer.promoted',
  'writer.failed',
  'deployment.step',
  'deployment.takingBack',
  'deployment.target',
  'deployment.finished',
  'task.started',
  'task.finished',
  'task.missed',
  'placement.ordered',
  'placement.waiting',
  'drift.found',
  'drift.healed',
  'drift.gone',
  'drift.unhealed',
  'drill.started',
  'drill.aborted',
  'drill.blocked',
  'drill.finished',
  'process.started',
  'process.exited',
  'configuration.reloaded',
  'configuration.refused',
  'operator.act',
]);
