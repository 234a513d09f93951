import { type Draft, withStep } from './draft.ts';

const NO_FAULT = ['no fault in sight'];

/** Whose fault it is comes first: what is not a platform's fault is no reason to leave it. */
export function attribution(draft: Draft): Draft {
  const found = draft.facts.attribution ?? [];
  if (found.length === 0) return withStep(draft, 'attribution', NO_FAULT);
  const intents = found.flatMap(({ remedy, platforms, summary }): Draft['intents'] => {
    if (remedy === 'freeze-deployments') {
      return platforms.map((platform) => ({ kind: 'freeze-deployments', platform, reason: summary }));
    }
    if (remedy === 'rollback') {
      return [{ kind: 'propose', what: 'rollback', platform: undefined, reason: summary }];
    }
    return [];
  });
  const lines = found.flatMap(({ culprit, summary, evidence, remedy }) => [
    `${culprit}: ${summary} (${remedy})`,
    ...evidence.map((line) => `  ${line}`),
  ]);
  const next = { ...draft, intents: [...draft.intents, ...intents], blind: isBlind(draft) };
  return withStep(next, 'attribution', lines);
}

/** Nothing that was seen while we ourselves were cut off says anything about the platforms. */
function isBlind({ facts }: Draft): boolean {
  return facts.attribution?.some(({ culprit }) => culprit === 'ourselves') === true;
}
