import type { Decision } from '../core/decision.ts';
import { originId, type PlatformName } from '../core/ids.ts';
import type { RoutingTable, TableRoute, TableTarget } from '../core/routing-table.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { hasPriorities } from './route-demand.ts';
import type { OfferedSplit } from './split.ts';
import type { EngineTarget } from './targets.ts';

export interface Routed {
  readonly settings: ApplicationSettings;
  readonly decision: Decision;
  readonly targets: readonly EngineTarget[];
  /** Where clients with a session may stay. Default: nowhere. */
  readonly keepsSessions?: ReadonlySet<PlatformName>;
  /** Where they may not, although new ones come. Default: nowhere. */
  readonly movesSessions?: ReadonlySet<PlatformName>;
  /** Default: nothing goes to a trial. */
  readonly split?: OfferedSplit | undefined;
  readonly isCompared?: boolean;
}

/** An application's routes as the gateway gets them. */
export function routesOf(routed: Routed): readonly TableRoute[] {
  const { settings, decision } = routed;
  const offered = tableTargets(routed);
  const counted = hasPriorities(settings.routes) ? { counted: true as const } : {};
  return settings.routes.map(({ host, path, publicHost, retry, affinity, rateLimit, priority }) => ({
    application: settings.name,
    host,
    path,
    publicHost,
    retry,
    ...(affinity === undefined ? {} : { affinity }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...shedOf(decision, priority),
    ...counted,
    ...writesOf(settings, decision),
    ...(routed.isCompared === true ? { compared: true as const } : {}),
    targets: offered,
  }));
}

/** A hundredth is as fine as it needs to be; finer would be a new table with every second. */
function shedOf({ shed, shedBy }: Decision, priority = 0): Pick<TableRoute, 'shed'> {
  const own = shedBy?.find((one) => one.priority === priority)?.part ?? shed;
  return own === undefined ? {} : { shed: Math.round(own * 100) / 100 };
}

function writesOf(
  { data }: ApplicationSettings,
  { writer, promoting }: Decision,
): Pick<TableRoute, 'writes'> {
  if (data.writes === 'anywhere') return {};
  if (data.writes === 'none') return { writes: { kind: 'none' } };
  const epoch = (writer ?? promoting)?.epoch ?? 0;
  const next = promoting === undefined ? {} : { next: promoting.platform };
  return { writes: { kind: 'single', writer: writer?.platform, epoch, ...next } };
}

const STATE_ORDER = { active: 0, spare: 1, draining: 3 } as const;
/** After everybody who takes requests. */
const TRIAL_ORDER = 2;

/** In the order in which they are to be tried: by state, then by tier, then as configured. A trial saves nobody. */
function tableTargets(routed: Routed): readonly TableTarget[] {
  const { settings, targets } = routed;
  const tierOf = new Map(settings.targets.map(({ platform, tier }) => [platform, tier]));
  const offered = settings.targets.flatMap(({ platform }) =>
    platformTargets(
      routed,
      platform,
      targets.filter((target) => target.platform === platform),
    ),
  );
  return offered.sort(
    (a, b) => orderOf(a) - orderOf(b) || (tierOf.get(a.platform) ?? 0) - (tierOf.get(b.platform) ?? 0),
  );
}

function orderOf({ state, trial }: TableTarget): number {
  return trial === true ? TRIAL_ORDER : STATE_ORDER[state];
}

/** A platform's share is divided between its own origins and its trial. */
function platformTargets(
  routed: Routed,
  platform: PlatformName,
  targets: readonly EngineTarget[],
): readonly TableTarget[] {
  const decided = routed.decision.targets[platform];
  const { part = 0, trials, release } = routed.split ?? {};
  const tried = decided?.state === 'active' && decided.share > 0 ? (trials?.get(platform) ?? []) : [];
  if (tried.length === 0) {
    // Where each origin is one instance, the trial became some of the platform's own while it went in place.
    const isNew = (one: EngineTarget): boolean => one.pinned && one.release === release;
    const fresh = ownTargets(routed, platform, targets.filter(isNew), part);
    const old = ownTargets(
      routed,
      platform,
      targets.filter((one) => !isNew(one)),
      1 - part,
    );
    if (routed.split !== undefined && fresh.length > 0 && old.length > 0) return [...fresh, ...old];
    return ownTargets(routed, platform, targets, 1);
  }
  return [
    ...ownTargets(routed, platform, targets, 1 - part),
    ...trialTargets(tried, decided?.share ?? 0, part),
  ];
}

function trialTargets(trials: readonly EngineTarget[], whole: number, part: number): readonly TableTarget[] {
  const all = trials.reduce((count, { urls }) => count + urls.length, 0);
  return trials.map(({ platform, release, hostHeader, sni, ca, urls }) => ({
    ...{ platform, release, share: (whole * part * urls.length) / all, state: 'active' as const },
    ...{ trial: true as const, hostHeader, sni },
    ...(ca === undefined ? {} : { ca }),
    origins: urls.map((url) => ({ id: originId(platform, url, release), url })),
  }));
}

/** What is left of a platform's share goes to its groups of origins by the number of origins that can be used. */
function ownTargets(
  { decision, keepsSessions, movesSessions }: Routed,
  platform: PlatformName,
  targets: readonly EngineTarget[],
  part: number,
): readonly TableTarget[] {
  const decided = decision.targets[platform];
  const stays = keepsSessions?.has(platform) === true;
  if (decided === undefined || (decided.state === 'off' && !stays)) return [];
  const usable = new Set(decided.origins);
  const count = targets.flatMap(({ urls }) =>
    urls.filter((url) => usable.has(originId(platform, url))),
  ).length;
  // For nobody new, but for those who were here before.
  const state = decided.state === 'off' ? 'draining' : decided.state;
  return targets.flatMap(({ release, hostHeader, sni, ca, urls }) => {
    const origins = urls
      .map((url) => ({ id: originId(platform, url), url }))
      .filter(({ id }) => usable.has(id));
    if (origins.length === 0) return [];
    const share = (decided.share * part * origins.length) / count;
    const trust = ca === undefined ? {} : { ca };
    const moves = movesSessions?.has(platform) === true ? { movesSessions: true as const } : {};
    const sessions = stays ? { keepsSessions: true } : moves;
    return [{ platform, release, share, state, hostHeader, sni, ...trust, ...sessions, origins }];
  });
}

/** Exact hosts before `*`, longer paths before shorter ones: the first match wins. */
export function inMatchingOrder(routes: readonly TableRoute[]): readonly TableRoute[] {
  return [...routes].sort(
    (a, b) =>
      Number(a.host === '*') - Number(b.host === '*') ||
      compare(a.host, b.host) ||
      b.path.length - a.path.length ||
      compare(a.path, b.path),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Nobody may edit a table that others read. */
export function frozen(table: RoutingTable): RoutingTable {
  return deepFreeze(table);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
