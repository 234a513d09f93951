import { describe, expect, it } from '@jest/globals';
import {
  applied,
  backward,
  difference,
  forward,
  split,
  UNDO,
} from '../../../providers/cloudfoundry/environment.ts';

const process = {
  command: 'node a.js',
  memoryMb: 64,
  check: { type: 'http', endpoint: '/healthz', timeout: 10 },
} as const;

/** What the platform holds after a patch. */
function patched(variables: Record<string, string>, patch: Readonly<Record<string, string | null>>) {
  return { ...applied(variables, patch) };
}

function wayBack(variables: Record<string, string>) {
  const { undo } = split(variables);
  if (!undo) throw new Error('there is no way back');
  return backward(undo);
}

describe('environment', () => {
  it('sends only what differs, and null for what goes', () => {
    expect(difference({ A: '1', B: '2', C: '3' }, { A: '1', B: 'two', D: '4' })).toEqual({
      B: 'two',
      D: '4',
      C: null,
    });
    expect(difference({ A: '1' }, { A: '1' })).toEqual({});
  });

  it('finds its way back from what the platform holds', () => {
    const before = { A: '1', B: '2' };
    const there = patched(
      before,
      forward({ release: 'r-2', attempt: 'a' }, { ...split(before), process }, { A: 'one', C: '3' }),
    );
    expect(split(there).env).toEqual({ A: 'one', C: '3' });
    expect(split(there).undo).toMatchObject({ release: 'r-2', process });
    expect(patched(there, wayBack(there))).toEqual(before);
  });

  it('keeps in the way back only what changed', () => {
    const before = { SAME: 'a secret that stays', B: '2' };
    const patch = forward(
      { release: 'r-2', attempt: 'a' },
      { ...split(before), process },
      { SAME: 'a secret that stays', B: 'x' },
    );
    expect(patch[UNDO]).not.toContain('a secret that stays');
  });

  it('leads past a release that never came up to what served before', () => {
    const good = { A: 'good' };
    const second = patched(
      good,
      forward({ release: 'r-2', attempt: 'a' }, { ...split(good), process }, { A: 'bad', X: '1' }),
    );
    const other = { ...process, command: 'node b.js' };
    const third = patched(
      second,
      forward({ release: 'r-3', attempt: 'a' }, { ...split(second), process: other }, { A: 'new', Y: '2' }),
    );
    expect(split(third).env).toEqual({ A: 'new', Y: '2' });
    expect(split(third).undo?.process).toEqual(process);
    expect(patched(third, wayBack(third))).toEqual(good);
  });

  it('writes the same way back again when it is applied twice', () => {
    const good = { A: 'good' };
    const want = { A: 'new' };
    const once = patched(good, forward({ release: 'r-2', attempt: 'a' }, { ...split(good), process }, want));
    const twice = patched(once, forward({ release: 'r-2', attempt: 'a' }, { ...split(once), process }, want));
    expect(twice).toEqual(once);
  });

  it('takes a value that somebody else wrote there as no way back', () => {
    expect(split({ A: '1', [UNDO]: 'nonsense' })).toEqual({ env: { A: '1' }, undo: undefined });
    expect(split({ A: '1', [UNDO]: '{"env":1}' }).undo).toBeUndefined();
  });
});
