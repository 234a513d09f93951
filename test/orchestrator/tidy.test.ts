import { describe, expect, it } from '@jest/globals';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import type { Release } from '../../src/core/release.ts';
import { neededDigests, outdatedRecords } from '../../src/orchestrator/tidy.ts';

function release(number: number): Release {
  return {
    id: `r-${String(number).padStart(10, '0')}`,
    number,
    application: 'shop',
    sourceDigest: `sha256:${number}`,
    configHash: '',
    createdAt: 0,
  };
}

function record(id: number, of: Release, outcome?: DeploymentRecord['outcome']): DeploymentRecord {
  const base = { id: `d-${id}`, application: 'shop', release: of, startedAt: id, targets: {} };
  return outcome === undefined ? base : { ...base, outcome };
}

const ALL = Array.from({ length: 30 }, (_, i) => release(i + 1));

describe('tidying up', () => {
  it('keeps the ten newest releases, those that serve and those that can be resumed', () => {
    const needed = new Set(
      neededDigests(ALL, [ALL[2]!.id], [record(1, ALL[4]!), record(2, ALL[5]!, 'done')]),
    );
    const kept = ALL.filter((one) => needed.has(one.sourceDigest)).map((one) => one.number);
    expect(kept).toEqual([3, 5, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });

  it('forgets the oldest finished deployments beyond two hundred, and no unfinished one', () => {
    const records = Array.from({ length: 250 }, (_, i) => record(i, ALL[0]!, i === 0 ? undefined : 'done'));
    const outdated = outdatedRecords(records, 'shop').map((one) => one.startedAt);
    expect(outdated).toHaveLength(49);
    expect(outdated[0]).toBe(1);
    expect(outdatedRecords(records, 'other')).toEqual([]);
  });
});
