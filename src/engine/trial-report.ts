import type { ReleaseId } from '../core/ids.ts';
import type { ExplanationStep, TrialStatus } from '../core/status.ts';
import type { ReleaseOutcome } from '../core/traffic.ts';
import type { ApplicationView } from './application-view.ts';
import type { PlatformView } from './platform-view.ts';
import { summarise } from './traffic.ts';

/** What clients met since then: of each platform its trial, and its own origins beside it. */
export function outcomesOf(view: ApplicationView, since: number): readonly ReleaseOutcome[] {
  return [...view.platforms.values()].flatMap((platform) => {
    const { windows } = platform;
    const name = platform.platform;
    const own = { platform: name, release: releaseOf(platform)?.id, trial: false, ...windows.own(since) };
    const tried = view.split?.release ?? windows.tried;
    if (tried === undefined) return [own];
    return [own, { platform: name, release: tried, trial: true, ...windows.trial(tried, since) }];
  });
}

/** What answers counts before what the platform says. */
export function releaseOf(platform: PlatformView): { readonly id: ReleaseId } | undefined {
  for (const id of platform.origins()) {
    const answered = platform.health(id).answered[0];
    if (answered !== undefined) return { id: answered };
  }
  const label = platform.targets().find(({ release }) => release !== undefined)?.release;
  return label === undefined ? undefined : { id: label };
}

/** Undefined: nothing is tried there. */
export function trialStatusOf(
  view: ApplicationView,
  platform: PlatformView,
  now: number,
): TrialStatus | undefined {
  const trial = platform.observation?.trial;
  if (trial === undefined) return undefined;
  const { attempts, failed, rps, p95Ms } = summarise(platform.trialTraffic(), view.spanMs(now));
  const running = trial.instances.filter(({ state, routable }) => state === 'running' && routable !== false);
  const waits = view.split?.release === trial.release ? waitsFor(platform, trial.release) : undefined;
  return {
    release: { id: trial.release },
    share: shareOf(view, platform),
    ...(waits === undefined ? {} : { waits }),
    ...{ rps, errorRate: attempts === 0 ? 0 : failed / attempts, p95Ms },
    instances: { running: running.length, desired: trial.desired },
  };
}

/** As the table has it. */
function shareOf(view: ApplicationView, { platform }: PlatformView): number {
  let share = 0;
  for (const target of view.routes()[0]?.targets ?? [])
    if (target.trial === true && target.platform === platform) share += target.share;
  return share;
}

/** Undefined: it gets what it should. */
function waitsFor(platform: PlatformView, release: ReleaseId): string | undefined {
  if (platform.soundTrials(release).length > 0) return undefined;
  const ids = platform.trialOrigins(release);
  if (ids.length === 0) return 'it has no origin';
  const stranger = ids.flatMap((id) => platform.health(id).answered).find((answer) => answer !== release);
  const known = ids.map((id) => platform.health(id));
  const down = known.find(({ state }) => state !== 'up');
  if (down !== undefined) return down.cause;
  return `it answers as ${stranger ?? 'no release at all'}`;
}

/** Last but for readiness: it divides what was decided, and moves nothing between platforms. */
export function trialStep(view: ApplicationView): ExplanationStep | undefined {
  const { split } = view;
  if (split === undefined) return undefined;
  const percent = `${Math.round(split.part * 1000) / 10} %`;
  const lines = [...view.platforms.values()].flatMap((platform) => {
    const { platform: name } = platform;
    if (view.offered(name).share === 0) return [];
    if (platform.trialOrigins(split.release).length === 0) return [`${name} runs no trial of it`];
    const waits = waitsFor(platform, split.release);
    if (waits === undefined) return [`${name}: ${percent} of its share goes to the trial`];
    return [`${name}: its trial gets nothing: ${waits}`];
  });
  return { stage: 'trials', lines: [`${split.release} is tried with ${percent} of the traffic`, ...lines] };
}
