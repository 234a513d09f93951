import { expect, it } from '@jest/globals';
import { formatPlan } from '../../src/cli/plan-text.ts';
import { platformError, toWire } from '../../src/core/errors.ts';

it('a plan shows what changes and what stands in the way, and counts the rest', () => {
  const error = toWire(
    platformError('quota', 'cf', 'the quota of space dev does not allow it', {
      why: 'needs 128Mi more; 0Mi of 1024Mi are left',
      remedy: 'ask for a larger quota',
    }),
  );
  const text = formatPlan({
    platform: 'cf',
    changes: [
      { action: 'change', field: 'instances', from: '4', to: '2', destructive: true },
      { action: 'none', field: 'memory', to: '64Mi', destructive: false },
      { action: 'create', field: 'route shop.example.com', destructive: false },
      { action: 'foreign', field: 'Service shop', destructive: false },
    ],
    checks: [
      { what: 'instances of space dev', found: 'there is no limit' },
      { what: 'services', found: 'DB_URL is another than on ocp', notice: true },
      { what: 'memory of space dev', found: 'needs 128Mi more; 0Mi of 1024Mi are left', error },
    ],
  });
  expect(text).toBe(`cf:
  ~ instances: 4 → 2  (destructive)
  + route shop.example.com
  ? Service shop  (not ours: left alone)
  ✖ memory of space dev: the quota of space dev does not allow it [PLATFORM_QUOTA]
    where  cf
    why    needs 128Mi more; 0Mi of 1024Mi are left
    do     ask for a larger quota
  ! services: DB_URL is another than on ocp
  ✓ 1 check passed
`);
});
