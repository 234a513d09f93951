import { expect, it } from '@jest/globals';
import { createEjectionsInForce } from '../../src/app/ejections-in-force.ts';
import type { EjectionSignal } from '../../src/core/signals.ts';

type More = Partial<Pick<EjectionSignal, 'origin' | 'application' | 'address' | 'reason' | 'at' | 'until'>>;

function ejected(more: More = {}): EjectionSignal {
  return {
    ...{ kind: 'ejection', at: 1_000, worker: 0, platform: 'a', origin: 'a/10.0.0.1', reason: 'stall' },
    until: 6_000,
    ...more,
  };
}

function readmitted(more: More = {}): EjectionSignal {
  return ejected({ reason: 'readmitted', at: 2_000, until: 2_000, ...more });
}

it('tells what is in force, until its time is over', () => {
  const known = createEjectionsInForce();
  known.add(ejected());
  expect(known.at(5_999)).toEqual([ejected()]);
  expect(known.at(6_000)).toEqual([]);
});

it('keeps only the last word about the same thing', () => {
  const known = createEjectionsInForce();
  known.add(ejected({ application: 'shop' }));
  known.add(ejected({ application: 'shop', until: 9_000 }));
  expect(known.at(2_000)).toEqual([ejected({ application: 'shop', until: 9_000 })]);
  known.add(readmitted({ application: 'shop' }));
  expect(known.at(2_000)).toEqual([]);
});

it('keeps what was taken back of an ejection beside it, in order', () => {
  const known = createEjectionsInForce();
  known.add(ejected());
  known.add(readmitted({ application: 'shop' }));
  expect(known.at(2_500)).toEqual([ejected(), readmitted({ application: 'shop' })]);
});

it('forgets what was said of a part when all of it is spoken of', () => {
  const known = createEjectionsInForce();
  known.add(ejected({ application: 'shop' }));
  known.add(ejected({ address: '10.0.0.2', until: 8_000 }));
  known.add(ejected({ until: 9_000 }));
  expect(known.at(2_000)).toEqual([ejected({ until: 9_000 })]);
});

it('tells addresses and origins apart', () => {
  const known = createEjectionsInForce();
  known.add(ejected({ address: '10.0.0.1' }));
  known.add(ejected({ address: '10.0.0.2' }));
  known.add(ejected({ origin: 'a/10.0.0.9' }));
  known.add(readmitted({ address: '10.0.0.2' }));
  expect(known.at(2_000)).toEqual([
    ejected({ address: '10.0.0.1' }),
    readmitted({ address: '10.0.0.2' }),
    ejected({ origin: 'a/10.0.0.9' }),
  ]);
});
