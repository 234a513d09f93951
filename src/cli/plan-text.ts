import type { PlatformPlan } from '../core/deployment.ts';
import type { PlanChange, PlanCheck } from '../core/provider.ts';
import { formatError } from './print-error.ts';

const SIGNS: Readonly<Record<PlanChange['action'], string>> = {
  create: '+',
  change: '~',
  none: ' ',
  foreign: '?',
};

/** What changes, and what stands in the way; what stays as it is and what was found in order are only counted. */
export function formatPlan({ platform, changes, checks }: PlatformPlan): string {
  const shown = changes.filter((change) => change.action !== 'none');
  const refused = checks.filter((check) => check.error !== undefined);
  const noted = checks.filter((check) => check.notice === true);
  const passed = checks.length - refused.length - noted.length;
  return [
    `${platform}: ${shown.length === 0 ? 'nothing to change' : ''}`.trimEnd(),
    ...shown.map((change) => `  ${lineOf(change)}`),
    ...refused.map(refusalOf),
    ...noted.map(({ what, found }) => `  ! ${what}: ${found}`),
    ...(passed === 0 ? [] : [`  ✓ ${passed} ${passed === 1 ? 'check' : 'checks'} passed`]),
    '',
  ].join('\n');
}

function refusalOf({ what, error }: PlanCheck): string {
  const text = error === undefined ? '' : formatError(error, '  ').trimEnd();
  return text.replace('✖ ', `✖ ${what}: `);
}

function lineOf(change: PlanChange): string {
  const values = [change.from, change.to].filter((value) => value !== undefined).join(' → ');
  const note =
    change.action === 'foreign' ? '  (not ours: left alone)' : change.destructive ? '  (destructive)' : '';
  return `${SIGNS[change.action]} ${change.field}${values === '' ? '' : `: ${values}`}${note}`;
}
