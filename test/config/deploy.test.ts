import { describe, expect, it } from '@jest/globals';
import { DEFAULT_DEPLOY } from '../../src/core/deploy-settings.ts';
import { faultsOf, loadText } from './support.ts';

function file(deploy: string): string {
  return `version: 1
platforms:
  here: { provider: selfhosted, driver: process }
  there: { provider: selfhosted, driver: process }
applications:
  shop:
    source: ./shop
    targets: { here: {}, there: {} }
    deploy: ${deploy}
`;
}

function deployIn(text: string) {
  const { settings, diagnostics } = loadText(file(text));
  expect(diagnostics).toEqual([]);
  return settings?.applications['shop']?.deploy;
}

describe('deploy', () => {
  it('is rolling, each platform for itself, when nothing is said', () => {
    expect(deployIn('{}')).toEqual(DEFAULT_DEPLOY);
  });

  it('takes all back when one platform fails a canary or blue-green, unless told otherwise', () => {
    expect(deployIn('{ strategy: canary }')).toMatchObject({
      steps: [0.05, 0.25, 0.5],
      onTargetFailure: { kind: 'abort-all' },
    });
    expect(deployIn('{ strategy: bluegreen, onTargetFailure: continue }')).toMatchObject({
      steps: [1],
      onTargetFailure: { kind: 'continue' },
    });
  });

  it('is read whole', () => {
    expect(
      deployIn(`{ strategy: canary, steps: [1%, 0.5, 100%], every: 30s, minRequests: 20,
        gates: { errorRate: 0.5%, latency: 2 }, barrier: 1m, onTargetFailure: quorum(2), maxSkew: 15m,
        rollback: manual }`),
    ).toEqual({
      strategy: 'canary',
      steps: [0.01, 0.5, 1],
      everyMs: 30_000,
      minRequests: 20,
      gates: { errorRate: 0.005, latency: 2 },
      barrierMs: 60_000,
      onTargetFailure: { kind: 'quorum', of: 2 },
      maxSkewMs: 900_000,
      rollback: 'manual',
    });
  });

  it.each([
    ['{ strategy: canray }', /deploy\.strategy: .*canary/],
    ['{ steps: [5%] }', /deploy\.steps: means nothing for rolling/],
    ['{ strategy: canary, steps: [25%, 5%] }', /deploy\.steps\[1\]: not more than before/],
    ['{ strategy: canary, steps: [0%, 5%] }', /deploy\.steps\[0\]: not more than before/],
    ['{ onTargetFailure: quorum(3) }', /deploy\.onTargetFailure: there are 2 platforms to deploy to/],
    ['{ onTargetFailure: panic }', /deploy\.onTargetFailure: not a rule for failing platforms/],
    ['{ gates: { latency: 0.5 } }', /deploy\.gates\.latency: /],
    ['{ every: 5 }', /deploy\.every: not a duration/],
  ])('%s is refused, with the place', (deploy, fault) => {
    expect(faultsOf(file(deploy)).join('\n')).toMatch(fault);
  });
});
