import type { PlatformName } from '../core/ids.ts';
import type { PlatformSettings } from '../core/settings.ts';
import type {
  ApplicationStatus,
  Explanation,
  PlatformStatus,
  RouteStatus,
  WritesStatus,
} from '../core/status.ts';
import type { ApplicationView } from './application-view.ts';
import type { PlatformView } from './platform-view.ts';
import { summarise } from './traffic.ts';
import { releaseOf, trialStatusOf, trialStep } from './trial-report.ts';
import { eachInstance, usageOf } from './usage.ts';

/** Why traffic is where it is, also when nothing has been decided yet. */
export function explanationOf(view: ApplicationView, now: number): Explanation {
  const { settings, decision, platforms } = view;
  if (decision !== undefined) {
    const { at, shares, summary } = decision;
    const more = [trialStep(view), readinessStep(view)].filter((step) => step !== undefined);
    const steps = [...decision.proof(), ...more];
    return { application: settings.name, at, shares, summary, steps };
  }
  const lines = [...platforms.values()].map(
    ({ platform, verdict }) => `${platform} ${verdict.state}: ${verdict.cause}`,
  );
  return {
    application: settings.name,
    at: now,
    shares: Object.fromEntries([...platforms.keys()].map((name) => [name, view.offered(name).share])),
    summary: 'nothing is known yet: the last table is served as it is',
    steps: [{ stage: 'verdicts', lines }],
  };
}

/** Last, for it moves nothing: would a failover succeed? */
function readinessStep({ readiness }: ApplicationView): Explanation['steps'][number] | undefined {
  if (readiness === undefined) return undefined;
  const lines = Object.entries(readiness).flatMap(([platform, checks]) => {
    const failed = checks.filter(({ state }) => state === 'failed');
    const unknown = checks.filter(({ state }) => state === 'unknown');
    return [
      failed.length === 0
        ? `${platform}: nothing is known to stand in the way of a failover`
        : `${platform} would not survive a failover: ${failed.map(({ detail }) => detail).join('; ')}`,
      ...(unknown.length === 0 ? [] : [`  not known: ${unknown.map(({ detail }) => detail).join('; ')}`]),
    ];
  });
  return { stage: 'readiness', lines };
}

/** What `status` and the dashboards show of an application. */
export function statusOf(
  view: ApplicationView,
  providers: Readonly<Record<PlatformName, PlatformSettings>>,
  now: number,
): Omit<ApplicationStatus, 'release'> {
  const { decision, attribution } = view;
  const intents = decision?.intents ?? [];
  const writes = writesOf(view);
  const routes = routesStatus(view, now);
  return {
    name: view.settings.name,
    demandRps: view.demandRps(now),
    platforms: [...view.platforms.values()].map((platform) =>
      platformStatus(view, platform, providers[platform.platform]?.provider ?? 'unknown', now),
    ),
    ...(attribution.length === 0 ? {} : { attribution }),
    ...(intents.length === 0 ? {} : { intents }),
    ...(decision?.frozen === undefined ? {} : { frozen: decision.frozen }),
    ...(decision?.coverage === undefined ? {} : { coverage: decision.coverage }),
    ...(decision?.shed === undefined ? {} : { shed: decision.shed }),
    ...(routes === undefined ? {} : { routes }),
    ...(writes === undefined ? {} : { writes }),
  };
}

/** As the table has it. */
function routesStatus(view: ApplicationView, now: number): readonly RouteStatus[] | undefined {
  const served = view.routes();
  return view.routeFacts(now)?.map(({ host, path, priority, rps }) => {
    const shed = served.find((route) => route.host === host && route.path === path)?.shed ?? 0;
    return { host, path, priority, rps, shed };
  });
}

function usageIn({ observation }: PlatformView): Pick<PlatformStatus, 'usage' | 'each'> {
  if (observation === undefined) return {};
  const each = eachInstance(observation);
  return { usage: usageOf(each), each };
}

/** As the table has it: that is what requests meet. */
function writesOf(view: ApplicationView): WritesStatus | undefined {
  return view.routes().find(({ writes }) => writes !== undefined)?.writes;
}

function platformStatus(
  view: ApplicationView,
  platform: PlatformView,
  provider: string,
  now: number,
): PlatformStatus {
  const { share, state } = view.offered(platform.platform);
  const readiness = view.readiness?.[platform.platform];
  const trial = trialStatusOf(view, platform, now);
  const { attempts, failed, rps, p95Ms } = summarise(platform.traffic(), view.spanMs(now));
  return {
    name: platform.platform,
    provider,
    tier: platform.settings.tier,
    verdict: platform.verdict,
    share,
    state,
    rps,
    errorRate: attempts === 0 ? 0 : failed / attempts,
    p95Ms,
    instances: platform.running(),
    ...usageIn(platform),
    release: releaseOf(platform),
    api: platform.api,
    ...(readiness === undefined ? {} : { readiness }),
    ejectedOrigins: platform.ejectedOrigins(),
    origins: platform.origins().length,
    ...(trial === undefined ? {} : { trial }),
    ...(platform.timeToCapacityMs === undefined ? {} : { timeToCapacityMs: platform.timeToCapacityMs }),
  };
}
