import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../policies/decide.ts';
import { mayServe } from '../../policies/eligibility.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { Decision } from '../../src/core/decision.ts';
import type { Facts, TargetFacts } from '../../src/core/facts.ts';
import { INITIAL_POLICY_STATE, type PolicyState } from '../../src/core/policy.ts';
import { factsOf, policyOf, targetFacts } from '../support/facts.ts';

const RELEASES = ['r-1', 'r-2', 'r-9', undefined] as const;

const target = fc.record({
  state: fc.constantFrom('unknown', 'starting', 'up', 'degraded', 'down' as const),
  tier: fc.integer({ min: 1, max: 3 }),
  weight: fc.integer({ min: 0, max: 100 }),
  capacityRps: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
  availability: fc.constantFrom(0.25, 0.5, 1),
  release: fc.constantFrom(...RELEASES),
  failed: fc.integer({ min: 0, max: 50 }),
  hasOrigins: fc.boolean(),
});

const moment = fc.record({
  demandRps: fc.integer({ min: 0, max: 2_000 }),
  allowed: fc.constantFrom([], ['r-1'], ['r-1', 'r-2']),
  afterMs: fc.integer({ min: 0, max: 200_000 }),
  targets: fc.array(target, { minLength: 1, maxLength: 4 }),
});

type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never;

function factsFor({ demandRps, allowed, targets }: Moment): Facts {
  const facts = targets.map((given, index): TargetFacts => {
    const platform = `p${index}`;
    const { release, failed, hasOrigins, ...rest } = given;
    const answered = release === undefined ? [] : [release];
    const origins = [{ id: `${platform}/h:1`, state: 'up' as const, declared: undefined, answered }];
    const traffic = { attempts: 50, failed, rps: 5, p95Ms: 1 };
    return targetFacts({ platform, ...rest, traffic, origins: hasOrigins ? origins : [] });
  });
  return factsOf(facts, { demandRps, allowedReleases: allowed });
}

/** Histories, so that hold-downs and ramps of all kinds are met too. */
const history = fc.array(moment, { minLength: 1, maxLength: 8 });

function play(
  moments: readonly Moment[],
  check: (facts: Facts, shares: Readonly<Record<string, number>>, before: PolicyState) => void,
): void {
  let state: PolicyState = INITIAL_POLICY_STATE;
  let now = 1_000_000;
  for (const given of moments) {
    now += given.afterMs;
    const facts = factsFor(given);
    const answer = decide(policyOf(), facts, state, now);
    check(facts, answer.decision.shares, state);
    state = answer.state;
  }
}

/** With the proof as it reads: of two functions nobody can tell whether they say the same. */
function written({ decision, state }: ReturnType<typeof decide>) {
  return { decision: { ...decision, proof: decision.proof() }, state };
}

function recovered(facts: Facts): Facts {
  const verdict = { state: 'up', since: 0, cause: '', evidence: [] } as const;
  const targets = facts.targets.map((target) => ({
    ...{ ...target, verdict, releaseMatters: false },
    origins: [{ id: `${target.platform}/h:1`, state: 'up', declared: undefined, answered: [] } as const],
  }));
  return { ...facts, targets };
}

function total(shares: Readonly<Record<string, number>>): number {
  return Object.values(shares).reduce((a, b) => a + b, 0);
}

function serves(facts: Facts, t: TargetFacts): boolean {
  const { state } = t.verdict;
  return (state === 'up' || state === 'degraded') && t.origins.some((origin) => mayServe(facts, t, origin));
}

const STRATEGIES = ['tiered', 'weighted', 'primary', 'lowest-latency'] as const;
const PANIC_MODES = ['last-known-good', 'fail-open', 'shed', 'static'] as const;

const setting = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  panicMode: fc.constantFrom(...PANIC_MODES),
  maxShiftPerMinute: fc.constantFrom(0.1, 1),
  fenced: fc.subarray(['p0', 'p1', 'p2', 'p3']),
  drained: fc.subarray(['p0', 'p1', 'p2', 'p3']),
});

function actsOf(kind: 'fence' | 'drain', platforms: readonly string[]): OperatorAct[] {
  return platforms.map((platform) => {
    const plain = { id: `${kind} ${platform}`, who: 'ada', reason: '', since: 0, until: undefined };
    return { ...plain, kind, application: undefined, platform };
  });
}

describe('whatever the policy and the orders', () => {
  const given = fc.tuple(setting, history);

  function playWith(
    [{ strategy, panicMode, maxShiftPerMinute, fenced, drained }, moments]: [SettingOf, Moment[]],
    check: (facts: Facts, decision: Decision, before: PolicyState) => void,
  ): void {
    const panic = { below: 0.3, mode: panicMode, exitAfterMs: 0 };
    const policy = policyOf({ strategy, panic, maxShiftPerMinute });
    const acts = [...actsOf('fence', fenced), ...actsOf('drain', drained)];
    let state: PolicyState = INITIAL_POLICY_STATE;
    let now = 1_000_000;
    for (const moment of moments) {
      now += moment.afterMs;
      const facts = { ...factsFor(moment), acts };
      const answer = decide(policy, facts, state, now);
      check(facts, answer.decision, state);
      state = answer.state;
    }
  }

  type SettingOf = typeof setting extends fc.Arbitrary<infer T> ? T : never;

  it('shares sum to 1, or the answer is a stated outage', () => {
    fc.assert(
      fc.property(given, (all) =>
        playWith(all, (_facts, { shares, mode }) => {
          if (mode === 'outage') expect(total(shares)).toBe(0);
          else expect(total(shares)).toBeCloseTo(1, 4);
        }),
      ),
    );
  });

  it('what is called timeless is decided alike at any later moment', () => {
    let timeless = 0;
    // Settings and histories at random hardly ever leave everybody in peace: these end in peace.
    const calm = fc.record({
      strategy: fc.constantFrom(...STRATEGIES),
      minDelayMs: fc.constantFrom(undefined, 60_000),
      laterMs: fc.integer({ min: 1, max: 7_200_000 }),
    });
    fc.assert(
      fc.property(calm, history, ({ strategy, minDelayMs, laterMs }, moments) => {
        const policy = policyOf({ strategy, ...(minDelayMs === undefined ? {} : { minDelayMs }) });
        let state: PolicyState = INITIAL_POLICY_STATE;
        let now = 1_000_000;
        const met = moments.map((moment) => ({ afterMs: moment.afterMs, facts: factsFor(moment) }));
        const peace = { afterMs: 120_000, facts: recovered(met.at(-1)!.facts) };
        for (const { afterMs, facts } of [...met, ...Array.from({ length: 30 }, () => peace)]) {
          now += afterMs;
          const answer = decide(policy, facts, state, now);
          state = answer.state;
          if (answer.decision.timeless !== true) continue;
          timeless += 1;
          const later = decide(policy, facts, state, now + laterMs).decision;
          expect(later.shares).toEqual(answer.decision.shares);
          expect(later.targets).toEqual(answer.decision.targets);
          expect(later.intents).toEqual(answer.decision.intents);
          expect(later.mode).toBe(answer.decision.mode);
        }
      }),
    );
    expect(timeless).toBeGreaterThan(0);
  });

  it('nothing moves to a target that is down, fenced or not eligible outside panic, nor to a fenced one ever', () => {
    fc.assert(
      fc.property(given, (all) =>
        playWith(all, (facts, { shares, mode }, before) => {
          for (const target of facts.targets) {
            const { platform } = target;
            const share = shares[platform] ?? 0;
            if (all[0].fenced.includes(platform)) expect(share).toBe(0);
            if (mode !== 'normal' || share <= (before.shares[platform] ?? 0)) continue;
            expect(target.verdict.state).not.toBe('down');
            expect(target.verdict.state).not.toBe('starting');
            expect(all[0].drained).not.toContain(platform);
            expect(target.origins.some((origin) => mayServe(facts, target, origin))).toBe(true);
          }
        }),
      ),
    );
  });
});

describe('adding health', () => {
  const sized = fc.record({
    up: fc.boolean(),
    tier: fc.integer({ min: 1, max: 3 }),
    weight: fc.integer({ min: 1, max: 100 }),
    capacityRps: fc.integer({ min: 1, max: 500 }),
    availability: fc.constantFrom(0.25, 0.5, 0.75, 1),
  });
  type Sized = typeof sized extends fc.Arbitrary<infer T> ? T : never;

  function served(
    strategy: (typeof STRATEGIES)[number],
    targets: readonly Sized[],
    demandRps: number,
  ): number {
    const facts = targets.map(({ up, ...rest }, i) =>
      targetFacts({ platform: `p${i}`, state: up ? 'up' : 'down', ...rest }),
    );
    const { shares } = decide(
      policyOf({ strategy }),
      factsOf(facts, { demandRps }),
      INITIAL_POLICY_STATE,
      0,
    ).decision;
    return targets.reduce((sum, { up, capacityRps, availability }, i) => {
      const carried = up ? 1.4 * capacityRps * availability : 0;
      return sum + Math.min((shares[`p${i}`] ?? 0) * demandRps, carried);
    }, 0);
  }

  it.each(['tiered', 'weighted', 'primary'] as const)('never lowers what %s serves', (strategy) => {
    const demand = fc.integer({ min: 1, max: 2_000 });
    fc.assert(
      fc.property(
        fc.array(sized, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        demand,
        (targets, which, rps) => {
          const better = targets.map((target, i) =>
            i === which % targets.length ? { ...target, up: true, availability: 1 as const } : target,
          );
          const before = served(strategy, targets, rps);
          expect(served(strategy, better, rps)).toBeGreaterThanOrEqual(before - rps * 1e-5);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('decisions', () => {
  it('give shares that sum to 1, or none at all', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (_facts, shares) => {
          for (const share of Object.values(shares)) expect(share).toBeGreaterThanOrEqual(0);
          if (total(shares) !== 0) expect(total(shares)).toBeCloseTo(1, 4);
        }),
      ),
    );
  });

  it('give nothing to a target that is down or not eligible while another one is up', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, shares) => {
          if (!facts.targets.some((t) => serves(facts, t))) return;
          for (const t of facts.targets) {
            const eligible = t.origins.some((origin) => mayServe(facts, t, origin));
            if (t.verdict.state === 'down' || !eligible) expect(shares[t.platform]).toBe(0);
          }
        }),
      ),
    );
  });

  it('always serve from somewhere while anybody can', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, shares) => {
          if (facts.targets.some((t) => serves(facts, t))) expect(total(shares)).toBeCloseTo(1, 4);
        }),
      ),
    );
  });

  it('are equal for equal arguments, and arguments are left as they were', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, _shares, before) => {
          const copy = JSON.stringify([facts, before]);
          const first = written(decide(policyOf(), facts, before, 5_000_000));
          expect(written(decide(policyOf(), facts, before, 5_000_000))).toEqual(first);
          expect(JSON.stringify([facts, before])).toBe(copy);
        }),
      ),
    );
  });

  it('survive being written down between two of them', () => {
    fc.assert(
      fc.property(history, (moments) =>
        play(moments, (facts, _shares, before) => {
          const kept: PolicyState = JSON.parse(JSON.stringify(before));
          expect(written(decide(policyOf(), facts, kept, 5_000_000))).toEqual(
            written(decide(policyOf(), facts, before, 5_000_000)),
          );
        }),
      ),
    );
  });
});
