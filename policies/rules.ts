import type { PlatformName } from '../src/core/ids.ts';
import type { PolicyRule, RuleAct } from '../src/core/policy-settings.ts';
import { burns } from './burn.ts';
import { displace } from './displaced.ts';
import { type Draft, withStep } from './draft.ts';
import { returningParts, withReturning } from './returning.ts';

/** A rule whose condition has held for long enough, on one target or on the whole. */
interface Firing {
  readonly name: string;
  readonly platform: PlatformName | undefined;
  /** Since when it acts. */
  readonly since: number;
  readonly act: RuleAct;
}

/**
 * The policy's own rules and its error budget: each condition, for how long it held, and what follows. By priority;
 * the first that speaks of a target's share has the say. What moves here is voluntary: pace and safety bind it. Who
 * lost traffic to a rule returns like one who failed, because without traffic most conditions cease to hold.
 */
export function rules(draft: Draft): Draft {
  const { policy } = draft;
  if (policy.rules === undefined && policy.budget === undefined) return draft;
  const holding: Record<string, number> = {};
  const firings = [
    ...[...(policy.rules ?? [])]
      .sort((a, b) => b.priority - a.priority)
      .flatMap((rule) => firingsOf(draft, rule, holding)),
    ...burns(draft),
  ];
  const parts: Record<PlatformName, number> = {};
  const intents: Draft['intents'][number][] = [];
  const lines: string[] = [];
  for (const { name, platform, since, act } of firings) {
    lines.push(`${name}${platform === undefined ? '' : ` on ${platform}`}: ${act.kind}`);
    const part = partOf(act, draft.now - since);
    if (part !== undefined && platform !== undefined) parts[platform] ??= part;
    if (act.kind === 'notify') intents.push({ kind: 'notify', text: `${name}: ${act.text}` });
    if (act.kind === 'propose') {
      intents.push({ kind: 'propose', what: act.what, platform, reason: `rule ${name}` });
    }
  }
  const { displaced, memory, kept } = displace(draft, parts);
  for (const [platform, part] of Object.entries(kept)) {
    lines.push(`${platform} keeps ${Math.round(part * 100)} % of its share for a while`);
  }
  const all = returningParts({ ...draft, memory });
  // A rule takes away; it never gives more than the ramp does.
  for (const [platform, part] of Object.entries({ ...parts, ...kept })) {
    all[platform] = Math.min(part, all[platform] ?? 1);
  }
  const next = {
    ...draft,
    memory,
    shares: Object.keys(all).length === 0 ? draft.shares : withReturning(draft, all),
    scaling: firings.some(({ act }) => act.kind === 'scale'),
    intents: [...draft.intents, ...intents],
    keep: { ...draft.keep, holding, displaced },
  };
  return withStep(next, 'rules', lines.length > 0 ? lines : ['none holds']);
}

function firingsOf(draft: Draft, rule: PolicyRule, holding: Record<string, number>): readonly Firing[] {
  const { facts, before, now } = draft;
  const subjects = rule.when.perTarget ? facts.targets.map(({ platform }) => platform) : [undefined];
  return subjects.flatMap((platform) => {
    if (!rule.when.holds({ facts, state: before, platform, now })) return [];
    const key = platform === undefined ? rule.name : `${rule.name} on ${platform}`;
    const held = before.holding?.[key] ?? now;
    holding[key] = held;
    const since = held + rule.forMs;
    return now < since ? [] : [{ name: rule.name, platform, since, act: rule.act }];
  });
}

/** Part of its share that a target keeps; undefined when the act moves nothing. */
function partOf(act: RuleAct, ms: number): number | undefined {
  if (act.kind === 'drain') return 0;
  if (act.kind !== 'shift') return undefined;
  const steps = 1 + (act.everyMs > 0 ? Math.floor(ms / act.everyMs) : 0);
  return Math.max(0, 1 - act.by * steps);
}
