import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../src/lib/random.ts';
import { type Act, nextAct } from './soak-users.ts';

function acts(seed: number, count: number): readonly Act[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => nextAct(random));
}

describe('the users of the soak', () => {
  it('do the same things in the same order with the same dice', () => {
    expect(acts(3, 50)).toEqual(acts(3, 50));
    expect(acts(3, 50)).not.toEqual(acts(4, 50));
  });

  it('do a bit of everything, and give up in every way', () => {
    const all = acts(1, 2_000);
    const ways = new Set(all.map((act) => (act.kind === 'request' ? act.request.givesUp.when : act.kind)));
    expect([...ways].sort()).toEqual(['after', 'never', 'reading', 'upgrade', 'uploading']);
    const requests = all.flatMap((act) => (act.kind === 'request' ? [act] : []));
    expect(requests.some(({ closes }) => closes)).toBe(true);
    expect(requests.some(({ isSafe, request }) => !isSafe && request.upload > 0)).toBe(true);
  });

  it('announce as much as they upload', () => {
    for (const act of acts(2, 500)) {
      if (act.kind !== 'request' || act.request.upload === 0) continue;
      expect(act.request.head).toContain(`content-length: ${act.request.upload}\r\n`);
    }
  });
});
