import { stoppedBy } from '../core/acts.ts';
import type { Attribution, Culprit, Remedy } from '../core/attribution.ts';
import type { ErrorClass } from '../core/errors.ts';
import type { Facts, TargetFacts } from '../core/facts.ts';
import type { PlatformName } from '../core/ids.ts';
import { type Sight, sightOf } from './sight.ts';

/** A release is suspected of what begins this soon after it went live. */
const RELEASE_SUSPECT_MS = 30 * 60_000;

const REMEDY: Readonly<Record<Culprit, Remedy>> = {
  'application-on-platform': 'fail-over',
  'shared-dependency': 'wait',
  release: 'rollback',
  route: 'repair-route',
  router: 'fail-over',
  'platform-api': 'freeze-deployments',
  network: 'fail-over',
  dns: 'fail-over',
  ourselves: 'serve-last-table',
};

interface Seen {
  readonly target: TargetFacts;
  readonly sight: Sight;
}

/**
 * Whose fault it is, from what all targets of an application show at once. `before` keeps since when. A dead platform
 * API is told apart from everything else; what all platforms show alike is no platform's fault.
 */
export function attribute(facts: Facts, before: readonly Attribution[], now: number): readonly Attribution[] {
  // What a person has stopped is nobody's fault.
  const targets = facts.targets.filter(
    ({ platform }) => stoppedBy(facts.acts ?? [], facts.application, platform) === undefined,
  );
  const seen = targets.map((target) => ({ target, sight: sightOf(target, now) }));
  const fitting = seen.filter(
    ({ sight, target }) => !isResting(target) && (sight.kind !== 'fine' || !isForeign(facts, target)),
  );
  const found = [
    ...apiFaults(seen),
    ...foreignReleases(facts, seen),
    ...(joint(facts, fitting, now) ?? fitting.flatMap((one) => own(one, before))),
  ];
  return found.map((one) => ({ ...one, since: sinceOf(one, before, now) }));
}

/** A cold standby that sleeps or wakes up: that nothing answers there is nobody's fault. */
function isResting({ standby, asleep, verdict }: TargetFacts): boolean {
  return asleep !== undefined || (standby === 'cold' && verdict.state === 'starting');
}

/** The platform's API alone: it says nothing of the traffic. */
function apiFaults(seen: readonly Seen[]): readonly Attribution[] {
  return seen.flatMap(({ target: { platform, signals } }) => {
    const api = signals?.platform;
    if (api === undefined || api.apiReachable) return [];
    const [what, word] = apiWords(api.apiFault);
    const evidence = [`the API of ${platform} ${word}: ${api.apiError ?? 'no answer'}`];
    const summary = `the API of ${platform} ${what}; its traffic stays`;
    return [attribution('platform-api', [platform], summary, evidence)];
  });
}

/** It is as good as down for whoever wants to change something there; what to do about it differs. */
function apiWords(fault: ErrorClass | undefined): readonly [what: string, word: string] {
  switch (fault) {
    case 'auth':
    case 'forbidden':
      return ['refuses our credentials', 'refuses us'];
    case 'rateLimited':
      return ['asks us to slow down', 'asks us to slow down'];
    default:
      return ['is down', 'does not answer'];
  }
}

/** It answers well, and is another release than anybody wanted: what it answers is nobody's health. */
function foreignReleases(facts: Facts, seen: readonly Seen[]): readonly Attribution[] {
  return seen.flatMap(({ target, sight }) => {
    if (sight.kind !== 'fine' || !isForeign(facts, target)) return [];
    const { platform, origins } = target;
    const answered = new Set(origins.flatMap((origin) => origin.answered.map((one) => one ?? 'no release')));
    const wanted = facts.allowedReleases.join(' or ');
    const summary = `${platform} answers another release than the wanted one`;
    const evidence = [`it answers ${[...answered].join(' and ')}, wanted ${wanted}`];
    return [{ ...attribution('release', [platform], summary, evidence), remedy: 'fail-over' as const }];
  });
}

/** Every origin that answered named something else, and only that. */
function isForeign({ allowedReleases }: Facts, { releaseMatters, origins }: TargetFacts): boolean {
  if (!releaseMatters || allowedReleases.length === 0) return false;
  const answers = origins.flatMap(({ answered }) => answered);
  return answers.length > 0 && answers.every((one) => one === undefined || !allowedReleases.includes(one));
}

/** What everybody shows alike; undefined when it must be looked for platform by platform. */
function joint(facts: Facts, seen: readonly Seen[], now: number): readonly Attribution[] | undefined {
  const known = seen.filter(({ sight }) => sight.kind !== 'unknown' && sight.kind !== 'undecided');
  const platforms = known.map(({ target }) => target.platform);
  if (known.length === 0) return undefined;
  const evidence = known.map(({ target, sight }) => `${target.platform}: ${sight.evidence[0] ?? sight.kind}`);

  if (facts.self?.egress === 'failing' && known.every(({ sight }) => isCut(sight))) {
    const lines = ['nothing outside answers this machine', ...evidence];
    return [attribution('ourselves', platforms, 'we are cut off ourselves: the last table stands', lines)];
  }
  if (known.length < 2) return undefined;
  // Every path, and every API beside it, within one moment: rather one of us than all of them.
  if (known.every(({ target, sight }) => isCut(sight) && target.signals?.platform?.apiReachable === false)) {
    const lines = ['no platform and no API answers', ...evidence];
    return [attribution('ourselves', platforms, 'we are cut off ourselves: the last table stands', lines)];
  }
  if (!known.every(({ sight }) => sight.kind === 'application')) return undefined;
  const age = facts.releasedAt === undefined ? undefined : now - facts.releasedAt;
  if (age !== undefined && age < RELEASE_SUSPECT_MS) {
    const summary = `every platform fails alike ${Math.round(age / 1000)} s after the release: it is the release`;
    return [attribution('release', platforms, summary, evidence)];
  }
  const summary = 'every platform fails alike and nothing was released: something they share';
  return [attribution('shared-dependency', platforms, summary, evidence)];
}

function own({ target, sight }: Seen, before: readonly Attribution[]): readonly Attribution[] {
  const { platform } = target;
  switch (sight.kind) {
    case 'undecided':
      // Who was found before it fell stays until there is something better to say.
      return before.filter(
        ({ culprit, platforms }) =>
          culprit !== 'platform-api' && culprit !== 'release' && platforms.join() === platform,
      );
    case 'fine':
    case 'unknown':
      return [];
    case 'application':
      return [
        attribution(
          'application-on-platform',
          [platform],
          `the application fails on ${platform}`,
          sight.evidence,
        ),
      ];
    case 'route':
      return [attribution('route', [platform], `${platform} has no way to the application`, sight.evidence)];
    case 'router':
      return [attribution('router', [platform], `the router of ${platform} does not serve`, sight.evidence)];
    case 'dns':
      return [attribution('dns', [platform], `the name of ${platform} is not found`, sight.evidence)];
    case 'path':
      return [attribution('network', [platform], `there is no way to ${platform}`, sight.evidence)];
  }
}

function isCut({ kind }: Sight): boolean {
  return kind === 'path' || kind === 'dns' || kind === 'router';
}

function attribution(
  culprit: Culprit,
  platforms: readonly PlatformName[],
  summary: string,
  evidence: readonly string[],
): Attribution {
  return { culprit, platforms, since: 0, summary, evidence, remedy: REMEDY[culprit] };
}

function sinceOf({ culprit, platforms }: Attribution, before: readonly Attribution[], now: number): number {
  const same = before.find(
    (one) => one.culprit === culprit && one.platforms.some((platform) => platforms.includes(platform)),
  );
  return same?.since ?? now;
}
