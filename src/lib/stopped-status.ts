import { type OperatorAct, stoppedBy } from '../core/acts.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { PlatformStatus } from '../core/status.ts';

/** As people have ordered it. */
export function withStopped(
  platform: PlatformStatus,
  application: ApplicationName,
  acts: readonly OperatorAct[],
): PlatformStatus {
  const act = stoppedBy(acts, application, platform.name);
  if (act === undefined) return platform;
  const { since, who, reason, emptying = false } = act;
  return { ...platform, stopped: { since, who, reason, emptying } };
}

/** What stands in the place of the verdict. */
export function stateWord({ verdict, stopped }: PlatformStatus): string {
  if (stopped === undefined) return verdict.state;
  return stopped.emptying ? 'stopping' : 'stopped';
}

export function stoppedText({ who, reason }: NonNullable<PlatformStatus['stopped']>): string {
  return `stopped by ${who}${reason === '' ? '' : `: ${reason}`}`;
}
