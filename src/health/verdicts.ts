import type { Observation, ObservedInstance } from '../core/provider.ts';
import type { HealthJudge, OriginHealth, TargetEvidence, Verdict, VerdictState } from '../core/verdict.ts';
import { attribute } from './attribution.ts';
import { impairment } from './impairment.ts';
import { age, countTraffic, newOrigin, observe } from './origin.ts';
import { readinessOf } from './readiness.ts';

/** From signals to verdicts. Pure: state goes in, state comes out. */
export const healthJudge: HealthJudge = {
  ...{ newOrigin, observe, age, judge, attribute },
  readiness: readinessOf,
};

/**
 * What we believe about a target: down when all its origins are, degraded when some are, when instances are missing, or
 * when it serves worse than the policy wants.
 * Only the path decides: what the platform's API says makes a target `starting` or `degraded`, never `down`.
 */
function judge(evidence: TargetEvidence, before: Verdict | undefined, now: number): Verdict {
  const belief = believe(evidence);
  const isServing = belief.state === 'up' || belief.state === 'degraded';
  const worse = isServing ? impairment(evidence, before, now) : undefined;
  const { state, cause }: Belief =
    belief.state === 'up' && worse !== undefined ? { state: 'degraded', cause: worse } : belief;
  const since = before?.state === state ? before.since : now;
  const lines = evidenceLines(evidence, now);
  if (worse === undefined) return { state, since, cause, evidence: lines };
  const impaired = { since: before?.impaired?.since ?? now, cause: worse };
  return { state, since, cause, evidence: [worse, ...lines], impaired };
}

interface Belief {
  readonly state: VerdictState;
  readonly cause: string;
}

function believe({ origins, observation }: TargetEvidence): Belief {
  if (origins.length === 0) return withoutOrigins(observation);
  const up = origins.filter(({ health }) => health.state === 'up');
  const down = origins.filter(({ health }) => health.state === 'down');
  if (up.length > 0) return serving(up.length, origins.length, down, observation);
  const neverServed = origins.every(({ health }) => !health.proven);
  if (neverServed && isStarting(observation)) return { state: 'starting', cause: startingCause(observation) };
  if (down.length === origins.length) return { state: 'down', cause: commonCause(down) };
  return { state: 'unknown', cause: commonCause(origins.filter(({ health }) => health.state === 'unknown')) };
}

function serving(
  up: number,
  all: number,
  down: TargetEvidence['origins'],
  observation: Observation | undefined,
): Belief {
  if (down.length > 0) {
    return { state: 'degraded', cause: `${up} of ${all} origins serve; ${commonCause(down)}` };
  }
  const running = observation === undefined ? undefined : runningInstances(observation);
  if (observation !== undefined && running !== undefined && running < observation.desired) {
    return { state: 'degraded', cause: `${running} of ${observation.desired} instances run` };
  }
  return { state: 'up', cause: all === 1 ? 'its origin answers' : `${up} of ${all} origins answer` };
}

function withoutOrigins(observation: Observation | undefined): Belief {
  if (isStarting(observation)) return { state: 'starting', cause: startingCause(observation) };
  if (observation === undefined) return { state: 'unknown', cause: 'nothing known of it yet' };
  return {
    state: 'unknown',
    cause: observation.exists ? 'the platform offers no origin' : 'not deployed there',
  };
}

function isStarting(observation: Observation | undefined): boolean {
  if (observation === undefined || observation.instances.length === 0) return false;
  const { instances } = observation;
  return (
    !instances.some(isRunning) && instances.some(({ state }) => state === 'starting' || state === 'pending')
  );
}

function startingCause(observation: Observation | undefined): string {
  const starting = observation?.instances.filter(({ state }) => state !== 'stopped') ?? [];
  return `${starting.length} instances are starting`;
}

/** `routable: null` means that the platform does not say: running has to do. */
function isRunning(instance: ObservedInstance): boolean {
  return instance.state === 'running' && instance.routable !== false;
}

export function runningInstances(observation: Observation): number {
  return observation.instances.filter(isRunning).length;
}

/** One cause for several origins: theirs if they agree, else the first with the number of others. */
function commonCause(origins: TargetEvidence['origins']): string {
  const causes = new Set(origins.map(({ health }) => health.cause));
  const [first = ''] = causes;
  return causes.size <= 1 ? first : `${first} (and ${origins.length - 1} more)`;
}

function evidenceLines({ origins, observation, apiError }: TargetEvidence, now: number): readonly string[] {
  const lines = origins.map(
    ({ id, health }) => `${id} ${health.state}: ${health.cause}${probeNote(health, now)}`,
  );
  for (const { id, health } of origins) {
    const { attempts, failed } = countTraffic(health, now);
    if (failed > 0) lines.push(`${id}: ${failed} of ${attempts} requests failed in the last 10 s`);
  }
  if (observation !== undefined) {
    const age = Math.round((now - (observation.asOf ?? observation.at)) / 1000);
    lines.push(
      `platform: ${runningInstances(observation)} of ${observation.desired} instances run, seen ${age} s ago`,
    );
  }
  if (apiError !== undefined) lines.push(`platform API does not answer (moves no traffic): ${apiError}`);
  return lines;
}

function probeNote({ lastProbe }: OriginHealth, now: number): string {
  if (lastProbe === undefined) return '';
  return `; last probe ${((now - lastProbe.at) / 1000).toFixed(1)} s ago: ${lastProbe.detail}`;
}
