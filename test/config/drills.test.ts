import { describe, expect, it } from '@jest/globals';
import { factsOf, stateOf, targetFacts } from '../support/facts.ts';
import { faultsOf, loadText } from './support.ts';

function file(drills: string, targets = '{ here: {}, there: {} }'): string {
  return `version: 1
platforms:
  here: { provider: static, origins: ["http://127.0.0.1:1"] }
  there: { provider: static, origins: ["http://127.0.0.1:2"] }
applications:
  shop:
    targets: ${targets}
    drills: ${drills}
`;
}

function drillsIn(drills: string) {
  const { settings, diagnostics } = loadText(file(drills));
  expect(diagnostics).toEqual([]);
  return settings?.applications['shop']?.drills;
}

describe('drills', () => {
  it('have defaults for all but who and where', () => {
    expect(drillsIn('[{ name: lose-here, platform: here }]')).toEqual([
      {
        name: 'lose-here',
        platform: 'here',
        cron: undefined,
        timeZone: 'UTC',
        forMs: 120_000,
        blockIf: [],
        abortIf: [],
        expect: { shiftWithinMs: 20_000, errors: 0.001 },
        staleAfterMs: 30 * 86_400_000,
      },
    ]);
  });

  it('are read whole; their conditions speak of the platform that is drilled', () => {
    const [drill] =
      drillsIn(
        `[{ name: x, platform: here, cron: 0 10 * * TUE, timezone: Europe/Berlin, for: 5m, staleAfter: 90d,
          blockIf: ["target.tier == 2.0"], abortIf: ["app.error_ratio_60s > 0.01"],
          expect: { shiftWithin: 5s, errors: 0.5%, slowest: 250ms } }]`,
      ) ?? [];
    expect(drill).toMatchObject({
      cron: '0 10 * * TUE',
      timeZone: 'Europe/Berlin',
      forMs: 300_000,
      staleAfterMs: 90 * 86_400_000,
      abortIf: [{ text: 'app.error_ratio_60s > 0.01' }],
      expect: { shiftWithinMs: 5_000, errors: 0.005, slowestMs: 250 },
    });
    const subject = {
      facts: factsOf([targetFacts({ platform: 'here', tier: 2 }), targetFacts({ platform: 'there' })]),
      state: stateOf({}),
      now: 0,
    };
    expect(drill?.blockIf[0]?.holds({ ...subject, platform: 'here' })).toBe(true);
    expect(drill?.blockIf[0]?.holds({ ...subject, platform: 'there' })).toBe(false);
  });

  it.each([
    ['[{ name: x, platform: hree }]', /drills\[0\]\.platform: no target has this name — did you mean "here"/],
    ['[{ name: x, platform: here, cron: every tuesday }]', /drills\[0\]\.cron: not a cron expression/],
    ['[{ name: x, platform: here, cron: 0 0 L * * }]', /drills\[0\]\.cron: not a cron expression/],
    [
      '[{ name: x, platform: here, cron: 0 0 * * *, timezone: Mars }]',
      /drills\[0\]\.timezone: not a time zone/,
    ],
    ['[{ name: x, platform: here, timezone: UTC }]', /drills\[0\]\.timezone: means nothing without `cron`/],
    ['[{ name: X Y, platform: here }]', /drills\[0\]\.name: not a name/],
    ['[{ name: x, platform: here, abortIf: [nonsense] }]', /drills\[0\]\.abortIf\[0\]: not a condition/],
    ['[{ name: x, platform: here, for: 25h }]', /drills\[0\]\.for: too much/],
    [
      '[{ name: x, platform: here }, { name: x, platform: there }]',
      /drills\[1\]\.name: two drills have this name/,
    ],
  ])('%s is refused, with the place', (drills, fault) => {
    const faults = faultsOf(file(drills));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
    expect(faults[0]).toMatch(/error/);
  });

  it('are pointless with one platform', () => {
    expect(faultsOf(file('[{ name: x, platform: here }]', '{ here: {} }'))).toContainEqual(
      expect.stringMatching(
        /warning applications.shop.drills: no drill can begin: there is one platform only/,
      ),
    );
  });
});
