import { partThere } from '../src/core/facts.ts';
import { type Candidate, type Draft, shareOf } from './draft.ts';

/** Below this a share has not moved. */
const MOVED = 0.0005;

/** Why traffic is where it is, in one sentence. */
export function summaryOf(draft: Draft): string {
  let shares = '';
  for (const { platform } of draft.candidates) {
    const share = shareOf(draft.shares, platform);
    if (share > 0) shares += `${shares === '' ? '' : ', '}${platform} ${percent(share)}`;
  }
  return shares === '' ? `${draft.facts.application}: no target can be offered` : shares + because(draft);
}

function because(draft: Draft): string {
  if (draft.mode === 'last-known')
    return ': every target is down or not eligible, the last known shares stay';
  if (draft.mode === 'panic') return ': too little capacity is healthy, the last good shares stand';
  const absent = draft.candidates.filter(
    ({ platform, rank, asleep }) => rank === 'none' && !asleep && shareOf(draft.shares, platform) === 0,
  );
  if (absent.length > 0) return `; without ${absent.map(whyAbsent).join(', ')}`;
  const coming = draft.candidates.filter(({ platform }) => isReturning(draft, platform));
  if (coming.length > 0) return `; ${coming.map(({ platform }) => platform).join(', ')} on the way back`;
  return ': all targets stand as the policy wants them';
}

/** What moved since the last decision, and why; empty when nothing did. */
export function reasonsOf(draft: Draft): readonly string[] {
  const lost: Candidate[] = [];
  const won: Candidate[] = [];
  for (const candidate of draft.candidates) {
    const change = changeOf(draft, candidate);
    if (change < -MOVED) lost.push(candidate);
    if (change > MOVED) won.push(candidate);
  }
  if (lost.length === 0 && won.length === 0) return [];
  if (draft.mode !== 'normal') return [summaryOf(draft)];

  const left = lost.filter(({ rank }) => rank === 'none');
  const reasons = left.map((candidate) => leaving(draft, candidate, won));
  for (const candidate of won) {
    const line = winning(draft, candidate);
    if (line !== undefined) reasons.push(line);
  }
  if (reasons.length > 0) return reasons;
  return [`${[...won, ...lost].map((candidate) => moved(draft, candidate)).join(', ')}: ${motive(draft)}`];
}

function leaving(draft: Draft, candidate: Candidate, won: readonly Candidate[]): string {
  const part = percent(shareOf(draft.before.shares, candidate.platform));
  if (won.length === 0) return `${whyAbsent(candidate)}; its ${part} go nowhere`;
  const to = won.map((taker) => `${taker.platform}${room(draft, taker)}`).join(' and ');
  return `${whyAbsent(candidate)}; its ${part} go to ${to}`;
}

function winning(draft: Draft, candidate: Candidate): string | undefined {
  const { platform } = candidate;
  const before = draft.before.targets[platform]?.membership.kind ?? 'fresh';
  const after = draft.memory[platform]?.membership;
  const share = percent(shareOf(draft.shares, platform));
  if (after?.kind === 'ramping') {
    return `${platform} returns: step ${after.step + 1} of ${draft.policy.ramp.steps.length}, ${share}`;
  }
  if (after?.kind === 'held') return `${platform} is needed before its hold-down is over: ${share}`;
  if (after?.kind !== 'in' || before === 'in') return undefined;
  if (before === 'ramping') return `${platform} is back with its full share, ${share}`;
  if (before === 'fresh') return `${platform} serves: ${share}`;
  return `${platform} is the only one that can serve: ${share} at once`;
}

/** Nobody left and nobody came: then it is capacity, weights or what we know. */
function motive(draft: Draft): string {
  const { facts, before } = draft;
  if (!Object.values(before.shares).some((share) => share > 0)) return 'nothing was offered before';
  const short = draft.candidates.filter(
    ({ limit, platform }) => limit <= shareOf(draft.shares, platform) + MOVED,
  );
  if (short.length > 0) {
    const names = short.map(({ platform }) => platform).join(' and ');
    return `${names} cannot carry more of ${Math.round(facts.demandRps)} rps`;
  }
  const degraded = draft.candidates.filter((candidate) => candidate.facts.availability < 1);
  if (degraded.length > 0) return degraded.map((c) => `${c.platform} ${c.facts.verdict.cause}`).join(', ');
  return `demand is ${Math.round(facts.demandRps)} rps`;
}

function whyAbsent({ platform, eligible, objection, facts }: Candidate): string {
  if (!eligible) return `${platform} not eligible: ${objection ?? ''}`;
  return `${platform} ${facts.verdict.state}: ${facts.verdict.cause}`;
}

/** ` (24 rps of 90 rps free)`, before the move. */
function room({ before, facts }: Draft, { platform, facts: target }: Candidate): string {
  if (target.capacityRps === undefined) return '';
  const capacity = target.capacityRps * partThere(target);
  const free = Math.max(0, capacity - shareOf(before.shares, platform) * facts.demandRps);
  return ` (${Math.round(free)} rps of ${Math.round(capacity)} rps free)`;
}

function moved(draft: Draft, { platform }: Candidate): string {
  return `${platform} ${percent(shareOf(draft.before.shares, platform))} → ${percent(shareOf(draft.shares, platform))}`;
}

function changeOf(draft: Draft, { platform }: Candidate): number {
  return shareOf(draft.shares, platform) - shareOf(draft.before.shares, platform);
}

function isReturning({ memory }: Draft, platform: string): boolean {
  const kind = memory[platform]?.membership.kind;
  return kind === 'held' || kind === 'ramping';
}

/** `60 %`, `0.6 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 1 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}
