import { describe, expect, it } from '@jest/globals';
import { parseLabelSelector } from '../../../../providers/cloudfoundry/local/label-selector.ts';

const labels = { app: 'shop', 'sluice.dev/release': 'r-1', tier: 'web' };

describe('label selectors', () => {
  it.each([
    ['app=shop', true],
    ['app==shop', true],
    ['app!=shop', false],
    ['app', true],
    ['!app', false],
    ['!other', true],
    ['tier in (web, worker)', true],
    ['tier notin (web,worker)', false],
    ['other notin (a)', true],
    ['sluice.dev/release=r-1,tier=web', true],
    ['sluice.dev/release in (r-1,r-2),tier!=web', false],
  ])('%s is %s', (selector, fits) => {
    expect(parseLabelSelector(selector)?.(labels)).toBe(fits);
  });

  it.each(['', 'app in shop', 'app=', '=x', 'a b'])(
    'cannot read %j unless it is an empty value',
    (selector) => {
      const parsed = parseLabelSelector(selector);
      if (selector === 'app=') expect(parsed?.({ app: '' })).toBe(true);
      else expect(parsed).toBeUndefined();
    },
  );
});
