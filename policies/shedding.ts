import type { ShedClass } from '../src/core/decision.ts';
import type { RouteFacts } from '../src/core/facts.ts';
import type { Shedding } from '../src/core/policy.ts';
import { type Draft, withStep } from './draft.ts';

/** Less than this of the demand is not worth shedding. */
const LEAST = 0.01;
/** As much more or less of the demand is not worth a new table. */
const BAND = 0.02;
/** Rates look back this far: what they say in between may be of the time before. */
const CALM_MS = 10_000;

/**
 * Whom there is no capacity for: routes of low priority first, the higher ones keep their full service. More is shed at
 * once; less when it has been enough for a while, or who is refused and comes again would make it swing.
 */
export function shedding(draft: Draft): Draft {
  const { before, facts, mode, policy, now } = draft;
  const isPage = mode === 'panic' && policy.panic?.mode === 'static';
  // With nobody known to serve, whoever comes is a try.
  if (isPage || mode === 'last-known' || mode === 'outage') return draft;
  const kept = held(before.shedding, draft.shed, now);
  if (kept === undefined) return draft.shed === 0 ? draft : { ...draft, shed: 0 };
  const by = classesOf(facts.routes, kept, before.shedding);
  const next = by === undefined ? kept : { ...kept, by };
  const shed = { ...draft, shed: kept.part, shedBy: by, keep: { ...draft.keep, shedding: next } };
  return withStep(shed, 'shedding', () => lines(draft, next));
}

/** Undefined: nothing is shed. */
function held(last: Shedding | undefined, wanted: number, now: number): Shedding | undefined {
  if (last === undefined) return wanted < LEAST ? undefined : { part: wanted };
  if (wanted > last.part + BAND) return { part: wanted };
  if (wanted > last.part - BAND && wanted >= LEAST) return { part: last.part };
  const { since, most } = last.lower ?? { since: now, most: wanted };
  const lower = { since, most: Math.max(most, wanted) };
  if (now - since < CALM_MS) return { part: last.part, lower };
  return lower.most < LEAST ? undefined : { part: lower.most };
}

/** Undefined: all routes are of the same priority, or nobody knows what each is asked for. */
function classesOf(
  routes: readonly RouteFacts[] | undefined,
  { part }: Shedding,
  last: Shedding | undefined,
): readonly ShedClass[] | undefined {
  if (routes === undefined) return undefined;
  const rates = new Map<number, number>();
  for (const { priority, rps } of routes) rates.set(priority, (rates.get(priority) ?? 0) + rps);
  let total = 0;
  for (const rate of rates.values()) total += rate;
  if (rates.size < 2 || total <= 0) return undefined;
  let left = part * total;
  const classes: ShedClass[] = [];
  for (const [priority, rate] of [...rates].sort(([a], [b]) => a - b)) {
    const own = left <= 0 ? 0 : rate <= left ? 1 : left / rate;
    classes.push({ priority, part: own });
    // What remains of a division must not refuse all of a route that nobody has asked for yet.
    left = own < 1 ? 0 : left - rate;
    if (left < total * 1e-9) left = 0;
  }
  const isNear = last?.part === part && last.by !== undefined && near(classes, last.by, rates, total);
  return isNear ? last.by : classes;
}

function near(
  classes: readonly ShedClass[],
  last: readonly ShedClass[],
  rates: ReadonlyMap<number, number>,
  total: number,
): boolean {
  if (classes.length !== last.length) return false;
  return classes.every(({ priority, part }, i) => {
    const before = last[i];
    if (before?.priority !== priority) return false;
    return (Math.abs(part - before.part) * (rates.get(priority) ?? 0)) / total < BAND;
  });
}

function lines({ facts, now }: Draft, { part, by, lower }: Shedding): readonly string[] {
  const of = `${Math.round(facts.demandRps * part)} rps of ${Math.round(facts.demandRps)} rps are answered 503`;
  const why =
    facts.routes === undefined || by !== undefined ? '' : ', of all routes alike: no rates by route';
  const all = [`${of}${why}`, ...(by ?? []).map((one) => classLine(one, facts.routes ?? []))];
  if (lower !== undefined) {
    const seconds = Math.ceil((CALM_MS - (now - lower.since)) / 1_000);
    all.push(`${percent(lower.most)} would do now; if it stays so, in ${seconds} s`);
  }
  return all;
}

function classLine({ priority, part }: ShedClass, routes: readonly RouteFacts[]): string {
  const own = routes.filter((route) => route.priority === priority);
  const rps = own.reduce((sum, route) => sum + route.rps, 0);
  const names = own.map(({ host, path }) => (host === '*' ? path : `${host}${path}`)).join(', ');
  const fate = part <= 0 ? 'served' : part >= 1 ? 'refused' : `${percent(part)} refused`;
  return `priority ${priority} (${names}), ${Math.round(rps)} rps: ${fate}`;
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}
