import { describe, expect, it } from '@jest/globals';
import { demandOf, RouteTallies, RouteTally } from '../../src/gateway/route-tally.ts';
import { seededRandom } from '../../src/lib/random.ts';

const WINDOW = { at: 5, windowMs: 1_000, worker: 2 };

describe('the tally of a route', () => {
  it('sheds the part it is told to, by the dice it is given', () => {
    const [one, other] = [new RouteTally(), new RouteTally()];
    const [dice, same] = [seededRandom(7), seededRandom(7)];
    const first = Array.from({ length: 10_000 }, () => one.sheds(0.3, dice));
    expect(Array.from({ length: 10_000 }, () => other.sheds(0.3, same))).toEqual(first);
    const { requests, shed } = one.take();
    expect(requests).toBe(10_000);
    expect(shed / requests).toBeCloseTo(0.3, 1);
    expect(one.take()).toEqual({ requests: 0, shed: 0 });
  });

  it('sheds all, or nothing, without throwing dice for it', () => {
    const never = () => {
      throw new Error('no dice');
    };
    const tally = new RouteTally();
    expect(tally.sheds(0, never)).toBe(false);
    expect([0, 0.5, 0.999].map((dice) => tally.sheds(1, () => dice))).toEqual([true, true, true]);
  });

  it('outlives tables, as long as its route is in them', () => {
    const tallies = new RouteTallies();
    const route = { application: 'shop', host: '*', path: '/' } as Parameters<RouteTallies['of']>[0];
    const first = tallies.of(route);
    tallies.settle();
    expect(tallies.of(route)).toBe(first);
    tallies.settle();
    tallies.settle();
    expect(tallies.of(route)).not.toBe(first);
  });

  it('is told of routes that are counted, and of others only what was shed', () => {
    function asked(path: string, counted: boolean, parts: readonly number[]) {
      const tally = new RouteTally();
      for (const part of parts) tally.sheds(part, () => 0);
      return { application: 'shop', host: 'h', path, counted, tally };
    }
    expect(
      demandOf(
        [
          asked('/a', true, [0, 0]),
          asked('/b', false, [0]),
          asked('/c', false, [1, 0]),
          asked('/d', true, []),
        ],
        WINDOW,
      ),
    ).toEqual([
      {
        kind: 'demand',
        ...WINDOW,
        application: 'shop',
        routes: [
          { host: 'h', path: '/a', requests: 2, shed: 0 },
          { host: 'h', path: '/c', requests: 2, shed: 1 },
        ],
      },
    ]);
    expect(demandOf([asked('/b', false, [0])], WINDOW)).toEqual([]);
  });
});
