import { describe, expect, it } from '@jest/globals';
import type { Readiness } from '../../src/core/readiness.ts';
import { ReadinessWatch } from '../../src/engine/readiness-watch.ts';

const REFUSED: Readiness = [
  { name: 'credentials', state: 'failed', detail: 'its API refuses our credentials' },
  { name: 'drill', state: 'unknown', detail: 'no drill is known' },
];
const EXPIRED: Readiness = [{ name: 'certificate', state: 'failed', detail: 'its certificate has expired' }];
const WELL: Readiness = [{ name: 'credentials', state: 'ok', detail: 'its API answers and knows us' }];

/** What is told at which second, of what is found every five. */
function told(found: readonly Readonly<Record<string, Readiness>>[]): string[] {
  const watch = new ReadinessWatch();
  return found.flatMap((one, i) =>
    watch
      .next('shop', one, i * 5_000)
      .map((event) =>
        `${i * 5} s ${event.type} ${'reasons' in event ? event.reasons.join('; ') : ''}`.trim(),
      ),
  );
}

describe('the alarm that a failover would not succeed', () => {
  it('is given once, when the reason has lasted', () => {
    expect(told(Array.from({ length: 10 }, () => ({ rack: REFUSED })))).toEqual([
      '15 s failover.unready rack: its API refuses our credentials',
    ]);
  });

  it('is not given for what comes and goes, nor for what nobody knows', () => {
    expect(told([{ rack: REFUSED }, { rack: REFUSED }, { rack: WELL }, { rack: REFUSED }])).toEqual([]);
  });

  it('is given anew for a new reason, and names all that stand in the way', () => {
    const both = { rack: REFUSED, cf: EXPIRED };
    expect(told([...Array(4).fill({ rack: REFUSED }), both, both, both, both])).toEqual([
      '15 s failover.unready rack: its API refuses our credentials',
      '35 s failover.unready rack: its API refuses our credentials; cf: its certificate has expired',
    ]);
  });

  it('is taken back when nothing stands in the way any more', () => {
    const found = [...Array(4).fill({ rack: REFUSED }), { rack: WELL }, { rack: WELL }];
    expect(told(found)).toEqual([
      '15 s failover.unready rack: its API refuses our credentials',
      '20 s failover.ready',
    ]);
  });
});
