import { partThere } from '../src/core/facts.ts';
import type { Shape } from '../src/core/policy.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import type { Candidate, Draft } from './draft.ts';

type TargetShape = Shape['targets'][number];

/** The very shape of before as long as nothing of it changed: it is looked at with every decision, and hardly ever new. */
export function shapeOf(draft: Draft): Shape {
  const { before, policy, mode, candidates } = draft;
  const known = before.shape;
  const text = textOf(policy);
  const isSame =
    known !== undefined &&
    known.policy === text &&
    known.mode === mode &&
    known.targets.length === candidates.length &&
    candidates.every((candidate, i) => isStill(draft, candidate, known.targets[i]));
  return isSame
    ? known
    : { policy: text, mode, targets: candidates.map((candidate) => targetShape(draft, candidate)) };
}

function targetShape(draft: Draft, { platform, rank, facts }: Candidate): TargetShape {
  const { tier, weight, capacityRps, verdict } = facts;
  const availability = partThere(facts);
  const membership = draft.memory[platform]?.membership.kind;
  const impaired = verdict.impaired !== undefined;
  const step = stepOf(draft, platform);
  return { platform, rank, membership, step, tier, weight, availability, capacityRps, impaired };
}

function isStill(draft: Draft, { platform, rank, facts }: Candidate, last: TargetShape | undefined): boolean {
  return (
    last !== undefined &&
    last.platform === platform &&
    last.rank === rank &&
    last.membership === draft.memory[platform]?.membership.kind &&
    last.step === stepOf(draft, platform) &&
    last.tier === facts.tier &&
    last.weight === facts.weight &&
    last.availability === partThere(facts) &&
    last.capacityRps === facts.capacityRps &&
    last.impaired === (facts.verdict.impaired !== undefined)
  );
}

function stepOf({ memory }: Draft, platform: string): number {
  const membership = memory[platform]?.membership;
  return membership?.kind === 'ramping' ? membership.step : 0;
}

/** Kept: a policy is an object for as long as the configuration stands. */
const texts = new WeakMap<PolicySettings, string>();

function textOf(policy: PolicySettings): string {
  const known = texts.get(policy);
  if (known !== undefined) return known;
  const text = JSON.stringify(policy);
  texts.set(policy, text);
  return text;
}
