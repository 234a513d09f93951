import type { PlatformName } from '../src/core/ids.ts';
import type { PolicyRule, RuleAct } from '../src/core/policy-settings.ts';
import { burns } from './burn.ts';
import { type Draft, withStep } from './draft.ts';
import { withReturning } from './returning.ts';

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
 * the first that speaks of a target's share has the say. What moves here is voluntary: pace and safety bind it.
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
  const scaling = firings.some(({ act }) => act.kind === 'scale');
  const shares = Object.keys(parts).length === 0 ? draft.shares : withReturning(draft, parts);
  const next = { ...draft, shares, scaling, intents: [...draft.intents, ...intents] };
  return withStep(
    { ...next, keep: { ...draft.keep, holding } },
    'rules',
    lines.length > 0 ? lines : ['none holds'],
  );
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
