import { ERROR_CODES } from '../../../src/core/errors.ts';
import { EXPECTED, type Kind, MISDEEDS, type Outcome } from './expected.ts';

const HEADS: Readonly<Record<Kind, string>> = {
  cloudfoundry: 'Cloud Foundry',
  openshift: 'OpenShift',
  selfhosted: 'self-hosted',
};
const KINDS = ['cloudfoundry', 'openshift', 'selfhosted'] as const satisfies readonly Kind[];

/** The matrix as docs/operating.md shows it. */
export function faultTable(): string {
  const head = ['while a release is deployed', ...KINDS.map((kind) => HEADS[kind])];
  const rows = Object.entries(EXPECTED).map(([misdeed, outcomes]) => {
    const what = Object.entries(MISDEEDS).find(([name]) => name === misdeed)?.[1] ?? '';
    return [`**${misdeed}**: ${what}`, ...KINDS.map((kind) => cellOf(outcomes[kind]))];
  });
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function cellOf(outcome: Outcome): string {
  if (outcome.end === 'n/a') return `n/a: ${outcome.text}`;
  if (outcome.end === 'live') return `live: ${outcome.text}`;
  return `\`${outcome.code}\` (${ERROR_CODES[outcome.code].exit}): ${outcome.text}`;
}
