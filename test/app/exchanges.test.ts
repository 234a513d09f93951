import { beforeEach, describe, expect, it } from '@jest/globals';
import { tellExchanges } from '../../src/app/exchanges.ts';
import type { DeploymentPhase, DomainEvent } from '../../src/core/events.ts';

let told: string[];
let hear: (event: DomainEvent) => void;

beforeEach(() => {
  told = [];
  const listen = tellExchanges({
    exchange: (_application, platform, isUnderWay) => void told.push(`${platform} ${isUnderWay}`),
  });
  hear = (event) => listen({ seq: 1, at: 0, ...event });
});

function progress(platform: string, ...phases: readonly DeploymentPhase[]): void {
  const of = { deployment: 'd-1', application: 'shop', platform, message: '', elapsedMs: 0 };
  for (const phase of phases) hear({ type: 'deployment.progress', ...of, phase });
}

describe('instances that are being replaced', () => {
  it('are those of a platform from when a release is applied until it is ready', () => {
    progress('cf', 'staging', 'staged', 'applying', 'starting', 'verifying');
    expect(told.at(-1)).toBe('cf true');
    progress('cf', 'ready', 'live', 'draining');
    expect(told.slice(0, 5)).toEqual(['cf false', 'cf false', 'cf true', 'cf true', 'cf true']);
    expect(told.slice(5)).toEqual(['cf false', 'cf false', 'cf false']);
  });

  it('are not where a release is only looked at, or tried beside what serves', () => {
    progress('cf', 'verifying');
    progress('rack', 'trying', 'tried');
    expect(told.every((one) => one.endsWith('false'))).toBe(true);
  });

  it('are none any more when a deployment ends, however it does', () => {
    progress('cf', 'applying');
    progress('rack', 'takingBack');
    const end = { deployment: 'd-1', application: 'shop', release: 'r-1', elapsedMs: 1, seconds: {} };
    hear({ type: 'deployment.finished', ...end, outcome: 'failed' });
    expect(told).toEqual(['cf true', 'rack true', 'cf false', 'rack false']);
  });

  it('are those of a restart, too', () => {
    const on = { application: 'shop', platform: 'cf' };
    hear({ type: 'power.ordered', ...on, act: 'restart', reason: '' });
    hear({ type: 'power.finished', ...on, act: 'restart', tookMs: 1 });
    hear({ type: 'power.ordered', ...on, act: 'start', reason: '' });
    expect(told).toEqual(['cf true', 'cf false']);
  });
});
