import type { Decision } from '../core/decision.ts';
import type { DrillOf, DrillStanding } from '../core/drill.ts';
import type { Facts, TargetFacts, TargetSignals } from '../core/facts.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Readiness, ReadinessCheck } from '../core/readiness.ts';
import { formatDuration } from '../core/units.ts';

/** A certificate that lasts no longer wants a person now, not on the night it is needed. */
const CERTIFICATE_DAYS = 7;
/** Nor does a token that ends before the next working day. */
const CREDENTIALS_HOURS = 24;
/** They are compared once a minute: nobody does so any more. */
const SECRETS_STALE_MS = 10 * 60_000;

/**
 * Would each target take what a failover brings, and would the others carry what it has? Asked all the time, because
 * the answer is worth nothing when it is asked first in the middle of a failover.
 */
export function readinessOf(
  facts: Facts,
  decision: Decision,
  drillOf: DrillOf = () => undefined,
): Readonly<Record<PlatformName, Readiness>> {
  return Object.fromEntries(
    facts.targets.map((target) => [
      target.platform,
      [
        credentials(target),
        quota(target, facts.demandRps),
        release(target, facts),
        certificate(target),
        ...waking(target),
        ...secrets(target),
        drill(drillOf(target.platform), decision.at),
        coverage(target, decision),
      ],
    ]),
  );
}

function credentials({ signals }: TargetFacts): ReadinessCheck {
  const name = 'credentials';
  const api = signals?.platform;
  if (api === undefined) return { name, state: 'unknown', detail: 'its API was not asked yet' };
  if (api.apiReachable) return lasting(api);
  switch (api.apiFault) {
    case 'auth':
      return { name, state: 'failed', detail: 'its API refuses our credentials' };
    case 'forbidden':
      return { name, state: 'failed', detail: 'its API knows us and does not let us in' };
    case 'rateLimited':
      return { name, state: 'unknown', detail: 'its API asks us to slow down' };
    default:
      return { name, state: 'failed', detail: 'its API does not answer: nothing can be started there' };
  }
}

/** A failover may come at any hour, and so must those who give us credentials have time to. */
function lasting({ credentials }: NonNullable<TargetSignals['platform']>): ReadinessCheck {
  const name = 'credentials';
  const known = 'its API answers and knows us';
  if (credentials === undefined) return { name, state: 'ok', detail: known };
  const { hoursLeft, renewal, why } = credentials;
  const left =
    hoursLeft === undefined ? undefined : formatDuration(Math.max(0, Math.floor(hoursLeft * 60)) * 60_000);
  const isShort = hoursLeft !== undefined && hoursLeft < CREDENTIALS_HOURS;
  if (renewal === 'none' && isShort)
    return { name, state: 'failed', detail: `our token ends in ${left} and nobody renews it` };
  if (renewal === 'failing' && isShort)
    return { name, state: 'failed', detail: `our token ends in ${left} and cannot be renewed: ${why}` };
  if (renewal === 'ok')
    return { name, state: 'ok', detail: `${known}; our token is renewed ahead of its end` };
  return { name, state: 'ok', detail: left === undefined ? known : `${known}; our token holds for ${left}` };
}

/** Room for the instances that a failover would bring: for all of the demand where instances are known to carry so much. */
function quota(
  { signals, instances, rpsPerInstance, asleep }: TargetFacts,
  demandRps: number,
): ReadinessCheck {
  const name = 'quota';
  if (instances === undefined) return { name, state: 'ok', detail: 'nothing is started there' };
  const { running, max } = instances;
  const desired = Math.max(instances.desired, asleep?.instances ?? 0);
  const wanted =
    rpsPerInstance === undefined || rpsPerInstance <= 0
      ? desired
      : Math.max(desired, Math.min(max ?? desired, Math.ceil(demandRps / rpsPerInstance)));
  const more = wanted - running;
  if (more <= 0) return { name, state: 'ok', detail: `${running} instances run, no more are needed` };
  const room = signals?.platform?.quotaHeadroom;
  const needs = `a failover needs ${more === 1 ? '1 more instance' : `${more} more instances`}`;
  if (room === undefined)
    return { name, state: 'unknown', detail: `${needs}: its API does not say how many its quota allows` };
  const state = room >= more ? 'ok' : 'failed';
  return { name, state, detail: `${needs}, its quota has room for ${room}` };
}

function release({ releaseMatters, origins, releases = [] }: TargetFacts, facts: Facts): ReadinessCheck {
  const name = 'release';
  const { allowedReleases } = facts;
  if (!releaseMatters) return { name, state: 'ok', detail: 'it runs what it runs' };
  if (allowedReleases.length === 0) return { name, state: 'ok', detail: 'no release is asked for' };
  const there = [...releases, ...origins.flatMap(({ declared, answered }) => [declared, ...answered])];
  const found = allowedReleases.find((one) => there.includes(one));
  if (found !== undefined) return { name, state: 'ok', detail: `${found} is there` };
  return { name, state: 'failed', detail: `${allowedReleases.join(' or ')} is not there` };
}

function certificate({ signals }: TargetFacts): ReadinessCheck {
  const name = 'certificate';
  const days = signals?.tls?.daysToExpiry;
  if (days === undefined) return { name, state: 'unknown', detail: 'no certificate was shown' };
  if (days < 0) return { name, state: 'failed', detail: 'its certificate has expired' };
  const left = days === 1 ? '1 day' : `${days} days`;
  return days <= CERTIFICATE_DAYS
    ? { name, state: 'failed', detail: `its certificate expires in ${left}` }
    : { name, state: 'ok', detail: `its certificate holds for ${left}` };
}

/** Only of one that sleeps: whoever waits for it wants to know how long. */
function waking({ asleep, timeToCapacityMs }: TargetFacts): readonly ReadinessCheck[] {
  const name = 'waking';
  if (asleep === undefined) return [];
  return timeToCapacityMs === undefined
    ? [{ name, state: 'unknown', detail: 'it was never woken: nobody knows how long that takes' }]
    : [
        {
          name,
          state: 'ok',
          detail: `it served ${formatDuration(timeToCapacityMs)} after it was last woken`,
        },
      ];
}

/** Left out where nothing is compared: then nobody asked. */
function secrets({ signals }: TargetFacts): readonly ReadinessCheck[] {
  const name = 'secrets';
  const services = signals?.services;
  if (services === undefined || services.ageMs > SECRETS_STALE_MS) return [];
  const { faults } = services;
  if (faults === undefined)
    return [{ name, state: 'unknown', detail: 'what its services hand out could not be read' }];
  return faults.length === 0
    ? [{ name, state: 'ok', detail: 'its services hand out what those of the others do' }]
    : [{ name, state: 'failed', detail: faults.join(', ') }];
}

/** A failed one is the best of all reasons to look; that nobody has tried is none. */
function drill(standing: DrillStanding | undefined, now: number): ReadinessCheck {
  const name = 'drill';
  const { passedAt, last, proven = false } = standing ?? {};
  if (last?.outcome === 'failed' && last.at > (passedAt ?? 0))
    return {
      name,
      state: 'failed',
      detail: `its last drill failed ${ago(now - last.at)}, see sluice drills`,
    };
  if (passedAt === undefined) return { name, state: 'unknown', detail: 'no drill has shown it yet' };
  const when = `a drill passed ${ago(now - passedAt)}`;
  return proven
    ? { name, state: 'ok', detail: when }
    : { name, state: 'unknown', detail: `${when}: too long to rely on it` };
}

function ago(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  return days === 0 ? 'within the last day' : days === 1 ? '1 day ago' : `${days} days ago`;
}

/** N−1: of this one's death the others must be able to live. */
function coverage({ platform }: TargetFacts, decision: Decision): ReadinessCheck {
  const name = 'coverage';
  const part = decision.coverage?.[platform];
  if (part === undefined) return { name, state: 'unknown', detail: 'nothing was decided yet' };
  const percent = Math.floor(part * 100);
  if ((decision.shares[platform] ?? 0) === 0)
    return { name, state: 'ok', detail: 'it has nothing that others would have to carry' };
  return part >= 1
    ? { name, state: 'ok', detail: 'the others carry all if it dies' }
    : { name, state: 'failed', detail: `if it dies the others carry ${percent} % of the demand` };
}
