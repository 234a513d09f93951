import { describe, expect, it } from '@jest/globals';
import { INITIAL_POLICY_STATE } from '../../src/core/policy.ts';
import type { PolicySettings } from '../../src/core/settings.ts';
import { factsOf, targetFacts } from '../support/facts.ts';
import { faultsOf, loadText, soundFile } from './support.ts';

/** `policy:` with these lines inside the sound file's application. */
function withPolicy(lines: string): string {
  return soundFile({ application: `policy:\n${lines.replace(/^/gm, '      ')}` });
}

function policyIn(lines: string): PolicySettings {
  const loaded = loadText(withPolicy(lines));
  const policy = loaded.settings?.applications['shop']?.policy;
  if (policy === undefined) throw new Error(JSON.stringify(loaded.diagnostics, undefined, 1));
  return policy;
}

describe('a policy', () => {
  it('can say all that the layers know', () => {
    const policy = policyIn(`strategy: primary
primary: { order: [here], switch: best }
overload: shed
failback: scheduled
failbackWindow: { cron: 0 9 * * MON-FRI, for: 8h, timezone: Europe/Berlin }
flap: { start: 30%, stop: 10% }
panic: { below: 20%, mode: shed, exitAfter: 2m }
maintenance: [{ platform: here, cron: 0 2 * * SUN, for: 2h, unless: "targets.filter(t, t.up).size() < 2" }]
freeze: [{ from: "2026-11-27T00:00:00+01:00", to: "2026-11-30T00:00:00+01:00", deny: [failback, deploy] }]
maxShift: 50%
minDelay: 10m
maxFailovers: 5
rules:
  - { name: slow, when: target.p95_ms > 800, for: 15s, do: { shift: 25%, every: 1m } }
  - { name: both, priority: 9, when: target.down, do: [scale, { notify: gone }] }
safety:
  - { name: one, assert: "targets.exists(t, t.up && t.share > 0)", unless: panic }
  - { name: master, gate: "!app.frozen" }
  - { name: floor, floor: 80% }
budget: { objective: 99.9%, triggers: [{ windows: [60s, 10s], rate: 14.4, do: { propose: rollback } }] }
cost: { maxP95: 300ms, maxErrors: 1% }
scale: { withFailover: true, backAfter: 5m }
degraded: { p95: 1s, errors: 5% }
stickiness: { drain: 30m, breakOn: [down, moved] }`);
    expect(policy).toMatchObject({
      strategy: 'primary',
      primary: { order: ['here'], switch: 'best' },
      overload: 'shed',
      failback: 'scheduled',
      flap: { start: 0.3, stop: 0.1 },
      panic: { below: 0.2, mode: 'shed', exitAfterMs: 120_000 },
      maxShiftPerMinute: 0.5,
      minDelayMs: 600_000,
      maxFailoversPerHour: 5,
      budget: {
        objective: expect.closeTo(0.999, 9),
        triggers: [{ longMs: 60_000, shortMs: 10_000, rate: 14.4 }],
      },
      cost: { maxP95Ms: 300, maxErrorRatio: 0.01 },
      scale: { withFailover: true, backAfterMs: 300_000 },
      degraded: { p95Ms: 1_000, errorRatio: 0.05 },
      stickiness: { drainMs: 1_800_000, breakOn: ['moved'] },
    });
    expect(policy.rules?.map(({ name, act, forMs }) => [name, act.kind, forMs])).toEqual([
      ['slow', 'shift', 15_000],
      ['both', 'scale', 0],
      ['both', 'notify', 0],
    ]);
    expect(policy.safety?.map(({ kind }) => kind)).toEqual(['assert', 'gate', 'floor']);
  });

  it('opens its windows at the wall clock of their zone, also when clocks change', () => {
    const window = policyIn(
      'failback: scheduled\nfailbackWindow: { cron: 0 9 * * *, for: 2h, timezone: Europe/Berlin }',
    ).failbackWindow;
    const open = (moment: string) => window?.isOpen(Date.parse(moment));
    expect([open('2026-07-01T06:59:59Z'), open('2026-07-01T07:00:00Z')]).toEqual([false, true]);
    expect([open('2026-07-01T08:59:59Z'), open('2026-07-01T09:00:00Z')]).toEqual([true, false]);
    expect([open('2026-12-01T07:30:00Z'), open('2026-12-01T08:30:00Z')]).toEqual([false, true]);
    expect(window?.opensNext(Date.parse('2026-12-01T12:00:00Z'))).toBe(Date.parse('2026-12-02T08:00:00Z'));
  });

  it('asks conditions of facts, and what is not known does not hold', () => {
    const [rule] =
      policyIn('rules: [{ name: r, when: "target.error_ratio > 0.2 && target.share > 0", do: drain }]')
        .rules ?? [];
    const failing = targetFacts({ platform: 'a', traffic: { attempts: 10, failed: 5, rps: 1, p95Ms: 1 } });
    const quiet = targetFacts({ platform: 'b' });
    const facts = factsOf([failing, quiet]);
    const state = { ...INITIAL_POLICY_STATE, shares: { a: 0.5, b: 0.5 } };
    const holds = (platform: string) => rule?.when.holds({ facts, state, platform, now: 0 });
    expect([holds('a'), holds('b'), holds('nobody')]).toEqual([true, false, false]);
  });

  it.each([
    ['rules: [{ name: r, when: "target.nope > 1", do: drain }]', 'No such key: nope'],
    ['rules: [{ name: r, when: "target.p95_ms", do: drain }]', 'it gives double'],
    ['rules: [{ name: r, when: "app.demand_rps > 1", do: drain }]', 'does not say whose'],
    ['rules: [{ name: r, when: "target.down &&", do: drain }]', 'not a condition'],
    ['maintenance: [{ platform: here, cron: 0 25 * * *, for: 1h }]', 'not a cron expression'],
    ['maintenance: [{ platform: here, cron: 0 2 * * *, for: 1h, timezone: Mars/Base }]', 'not a time zone'],
    ['freeze: [{ from: yesterday, to: tomorrow, deny: [drill] }]', 'not a moment'],
    [
      'freeze: [{ from: "2026-11-28T00:00:00Z", to: "2026-11-27T00:00:00Z", deny: [drill] }]',
      'before `from`',
    ],
    ['safety: [{ name: s, asserts: "true" }]', 'asserts'],
  ])('refuses %s', (lines, fault) => {
    expect(JSON.stringify(faultsOf(withPolicy(lines)))).toContain(fault);
  });
});
