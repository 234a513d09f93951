import { z } from 'zod';
import {
  DEFAULT_CANARY_STEPS,
  DEFAULT_DEPLOY,
  type DeploySettings,
  type TargetFailureRule,
} from '../core/deploy-settings.ts';
import { checkedText, choice, decimal, described, duration, ratio, whole } from './fields.ts';

const DAY_MS = 86_400_000;
const QUORUM = /^quorum\(([1-9]\d{0,3})\)$/;

/** `applications.NAME.deploy`. */
export const deploySchema = z
  .strictObject({
    strategy: choice(
      {
        says: 'rolling replaces in place, each platform at its own pace. canary runs the new release beside the old one and gives it more and more of every platform’s traffic, the same part everywhere; bluegreen gives it all at once. Both need a running `sluice serve`.',
        otherwise: 'rolling',
      },
      ['rolling', 'bluegreen', 'canary'],
    ).optional(),
    steps: z
      .array(ratio({ says: 'A part of every platform’s traffic.' }))
      .min(1)
      .meta(described({ says: 'Parts of the traffic that a canary gets, rising. Default: 5%, 25%, 50%.' }))
      .optional(),
    every: duration(
      { says: 'How long each step is watched at least.', otherwise: '1m' },
      { min: 100, max: DAY_MS },
    ).optional(),
    minRequests: whole(
      { says: 'Requests that must have met the new release in a step before it is passed.', otherwise: 100 },
      { min: 0, max: 1_000_000 },
    ).optional(),
    gates: z
      .strictObject({
        errorRate: ratio({
          says: 'Part of the requests that may fail more often than with the old release.',
          otherwise: '1%',
        }).optional(),
        latency: decimal(
          { says: 'How many times the p95 of the old release the new one may take.', otherwise: 1.5 },
          { min: 1, max: 1_000 },
        ).optional(),
      })
      .meta({ description: 'What the new release must hold to under live traffic.' })
      .optional(),
    barrier: duration(
      { says: 'How long platforms that are ready wait for the others.', otherwise: '2m' },
      { min: 1_000, max: DAY_MS },
    ).optional(),
    onTargetFailure: checkedText(
      {
        says: 'abort-all: one platform that fails takes the release back everywhere. continue: each for itself. quorum(2): go on as long as so many have it. Default: continue for rolling, else abort-all.',
      },
      '^(abort-all|continue|quorum\\([1-9]\\d*\\))$',
      (given) =>
        ruleOf(given) === undefined
          ? { fault: 'not a rule for failing platforms', remedy: 'abort-all, continue or quorum(2)' }
          : undefined,
    ).optional(),
    maxSkew: duration(
      { says: 'How long two releases may serve before it is taken back.', otherwise: '30m' },
      { min: 1_000, max: 7 * DAY_MS },
    ).optional(),
    rollback: choice(
      {
        says: 'auto: a release that fails is taken back everywhere. manual: clients go back to the old release, the new one stays beside it for you to look at.',
        otherwise: 'auto',
      },
      ['auto', 'manual'],
    ).optional(),
  })
  .superRefine(({ strategy = 'rolling', steps }, context) => {
    if (steps === undefined) return;
    if (strategy !== 'canary') {
      const params = { remedy: 'add `strategy: canary`, or remove it' };
      context.addIssue({ code: 'custom', path: ['steps'], message: `means nothing for ${strategy}`, params });
      return;
    }
    const wrong = steps.findIndex((part, i) => part <= (steps[i - 1] ?? 0));
    if (wrong < 0) return;
    const params = { remedy: 'rising and above 0: [5%, 25%, 50%]' };
    context.addIssue({ code: 'custom', path: ['steps', wrong], message: 'not more than before', params });
  })
  .meta({ description: 'How a release comes to all platforms.' });

export type DeployInput = z.output<typeof deploySchema>;

export function assembleDeploy(input: DeployInput | undefined): DeploySettings {
  const standard = DEFAULT_DEPLOY;
  const strategy = input?.strategy ?? standard.strategy;
  const rule = input?.onTargetFailure === undefined ? undefined : ruleOf(input.onTargetFailure);
  return {
    strategy,
    steps:
      strategy === 'canary' ? (input?.steps ?? DEFAULT_CANARY_STEPS) : strategy === 'bluegreen' ? [1] : [],
    everyMs: input?.every ?? standard.everyMs,
    minRequests: input?.minRequests ?? standard.minRequests,
    gates: {
      errorRate: input?.gates?.errorRate ?? standard.gates.errorRate,
      latency: input?.gates?.latency ?? standard.gates.latency,
    },
    barrierMs: input?.barrier ?? standard.barrierMs,
    onTargetFailure: rule ?? { kind: strategy === 'rolling' ? 'continue' : 'abort-all' },
    maxSkewMs: input?.maxSkew ?? standard.maxSkewMs,
    rollback: input?.rollback ?? standard.rollback,
  };
}

function ruleOf(text: string): TargetFailureRule | undefined {
  if (text === 'abort-all' || text === 'continue') return { kind: text };
  const [, of] = QUORUM.exec(text) ?? [];
  return of === undefined ? undefined : { kind: 'quorum', of: Number(of) };
}
