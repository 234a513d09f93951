import type { LoggedEvent } from '../../src/core/events.ts';
import type { Explanation, PlatformStatus, StatusView } from '../../src/core/status.ts';

/** 2026-11-20T14:03:22Z. */
export const NOW = 1_795_183_402_000;

export function platform(name: string, over: Partial<PlatformStatus> = {}): PlatformStatus {
  return {
    name,
    provider: 'cloudfoundry',
    tier: 1,
    verdict: {
      state: 'up',
      since: NOW - 60_000,
      cause: 'its origin answers',
      evidence: ['3 probes answered', 'no errors in the traffic'],
    },
    share: 0.4,
    state: 'active',
    rps: 80,
    errorRate: 0,
    p95Ms: 12.4,
    instances: { running: 2, desired: 2 },
    release: { id: 'r-0123456789', number: 2 },
    api: { reachable: true, at: NOW },
    ejectedOrigins: 0,
    origins: 1,
    ...over,
  };
}

export const RECENT: readonly LoggedEvent[] = [
  {
    seq: 7,
    at: NOW - 4_000,
    type: 'verdict.changed',
    application: 'shop',
    platform: 'rack',
    from: 'up',
    to: 'down',
    cause: '3 probes failed: refused',
    evidence: [],
  },
  {
    seq: 8,
    at: NOW - 3_900,
    type: 'decision.made',
    application: 'shop',
    before: { cf: 0.4, ocp: 0.4, rack: 0.2 },
    shares: { cf: 0.5, ocp: 0.5, rack: 0 },
    reasons: ['rack down: 3 probes failed: refused; its 20 % go to cf and ocp'],
  },
];

/** One platform well, one slow and with a dead API, one down. */
export function shopStatus(over: Partial<StatusView> = {}): StatusView {
  return {
    at: NOW,
    version: '0.1.0',
    tableVersion: 17,
    workers: { wanted: 2, ready: 2 },
    applications: [
      {
        name: 'shop',
        release: { id: 'r-0123456789', number: 2 },
        demandRps: 200,
        platforms: [
          platform('cf', { share: 0.5, rps: 100 }),
          platform('ocp', {
            provider: 'openshift',
            share: 0.5,
            rps: 98,
            errorRate: 0.02,
            p95Ms: 431,
            verdict: {
              state: 'degraded',
              since: NOW,
              cause: '1 of 2 instances runs',
              evidence: ['pod shop-2 restarts'],
            },
            instances: { running: 1, desired: 2 },
            api: { reachable: false, error: 'connect timed out', at: NOW - 9_000 },
          }),
          platform('rack', {
            provider: 'selfhosted',
            share: 0,
            state: 'off',
            rps: 0,
            p95Ms: 0,
            verdict: { state: 'down', since: NOW, cause: '3 probes failed: refused', evidence: [] },
            instances: { running: 0, desired: 2 },
            release: { id: 'r-9876543210', number: 1 },
            ejectedOrigins: 1,
          }),
        ],
      },
    ],
    recent: RECENT,
    ...over,
  };
}

export const EXPLANATION: Explanation = {
  application: 'shop',
  at: NOW,
  shares: { cf: 0.5, ocp: 0.5, rack: 0 },
  summary: 'cf 50 %, ocp 50 %; without rack down: 3 probes failed: refused',
  steps: [
    { stage: 'eligibility', lines: ['all run r2'] },
    { stage: 'verdicts', lines: ['cf up: its origin answers', 'rack down: 3 probes failed: refused'] },
    { stage: 'strategy', lines: ['tier 1: cf weight 40, ocp weight 40'] },
  ],
};
