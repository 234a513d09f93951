import type { DrillWish } from '../core/control.ts';
import {
  DEFAULT_DRILL_MS,
  DEFAULT_EXPECTATIONS,
  DEFAULT_STALE_AFTER_MS,
  type DrillRecord,
  type DrillSettings,
} from '../core/drill.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import { baselineP95 } from '../engine/drill-conditions.ts';
import type { Insight } from '../engine/engine.ts';

/** A drill that has not begun, with how everything is before it. */
export function newDrill(
  id: string,
  plan: DrillSettings,
  of: {
    readonly application: ApplicationSettings;
    readonly who: string;
    readonly insight: Insight | undefined;
    readonly now: number;
  },
): DrillRecord {
  const { application, who, insight, now } = of;
  const { name, platform, forMs, expect } = plan;
  const targets = insight?.facts.targets ?? [];
  const instances = targets.flatMap((one) =>
    one.instances === undefined
      ? []
      : [[one.platform, { running: one.instances.running, desired: one.instances.desired }] as const],
  );
  return {
    ...{ id, name, application: application.name, platform, who, forMs, expect },
    startedAt: now,
    phase: 'shifting',
    phaseSince: now,
    before: {
      shares: insight?.decision.shares ?? {},
      p95Ms: baselineP95(targets, platform),
      instances: Object.fromEntries(instances),
    },
    evidence: { requests: 0, failed: 0, slowestMs: 0, peakRps: 0, carriers: {} },
    why: [],
  };
}

/** Whose platform it is, and that there is one; throws USAGE. */
export function applicationOf(
  { applications }: Pick<Settings, 'applications'>,
  { application, platform }: DrillWish,
): ApplicationSettings {
  const all = Object.values(applications);
  if (application !== undefined) {
    const named = applications[application];
    if (named !== undefined) return named;
    const remedy = `one of: ${all.map(({ name }) => name).join(', ')}`;
    throw new SluiceError('USAGE', `there is no application "${application}"`, { remedy });
  }
  const there = all.filter(({ targets }) => targets.some((target) => target.platform === platform));
  const [only] = there;
  if (only !== undefined && there.length === 1) return only;
  if (there.length > 1) {
    throw new SluiceError('USAGE', `several applications run on ${platform}`, {
      remedy: `pass --app with one of: ${there.map(({ name }) => name).join(', ')}`,
    });
  }
  const platforms = [...new Set(all.flatMap(({ targets }) => targets.map((target) => target.platform)))];
  throw new SluiceError('USAGE', `no application runs on "${platform}"`, {
    remedy: `one of: ${platforms.join(', ')}`,
  });
}

/** What is configured for the platform, with what the wish says otherwise. */
export function planOf({ name, targets, drills = [] }: ApplicationSettings, wish: DrillWish): DrillSettings {
  const { platform } = wish;
  if (!targets.some((target) => target.platform === platform)) {
    throw new SluiceError('USAGE', `${name} does not run on "${platform}"`, {
      remedy: `one of: ${targets.map((target) => target.platform).join(', ')}`,
    });
  }
  const own = drills.filter((one) => one.platform === platform);
  const configured = wish.name === undefined ? own[0] : own.find((one) => one.name === wish.name);
  if (wish.name !== undefined && configured === undefined) {
    throw new SluiceError('USAGE', `there is no drill "${wish.name}" of ${platform}`, {
      remedy: own.length === 0 ? 'leave the name out' : `one of: ${own.map((one) => one.name).join(', ')}`,
    });
  }
  const plan = configured ?? byHand(platform);
  return wish.forMs === undefined ? plan : { ...plan, forMs: wish.forMs };
}

function byHand(platform: PlatformName): DrillSettings {
  return {
    name: 'by hand',
    platform,
    cron: undefined,
    timeZone: 'UTC',
    forMs: DEFAULT_DRILL_MS,
    blockIf: [],
    abortIf: [],
    expect: DEFAULT_EXPECTATIONS,
    staleAfterMs: DEFAULT_STALE_AFTER_MS,
  };
}

/** With `switch: failover` who took over would stay; with one writer a failover would move the writes along. */
export function returningBy(
  { policy, data }: ApplicationSettings,
  { platform, before }: DrillRecord,
): 'failback' | 'failover' {
  const stays = policy.strategy === 'primary' && (policy.primary?.switch ?? 'failover') === 'failover';
  const hadAll = (before.shares[platform] ?? 0) > 0.5;
  return stays && hadAll && data.writes !== 'single' ? 'failover' : 'failback';
}
