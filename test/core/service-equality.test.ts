import { describe, expect, it } from '@jest/globals';
import { type ComparedService, type Digests, serviceFaults } from '../../src/core/service-equality.ts';

const db = (more: Partial<ComparedService> = {}): ComparedService => ({
  ...{ name: 'db', shared: false, given: {}, asked: ['cf', 'ocp', 'rack'] },
  ...more,
});
const URL = { DB_URL: '1' };
const faults = (service: ComparedService, digests: Digests) => serviceFaults([service], digests);

describe('what services hand out', () => {
  it('may differ in its values, unless it is one and the same service', () => {
    const digests = { cf: { db: URL }, ocp: { db: { DB_URL: '2' } }, rack: { db: { DB_URL: '1' } } };
    expect(faults(db(), digests)).toEqual({ cf: [], ocp: [], rack: [] });
    expect(faults(db({ shared: true }), digests)).toEqual({
      ...{ cf: [], rack: [] },
      ocp: ['DB_URL is another than on cf'],
    });
  });

  it('is right as most have it, wherever the odd one stands', () => {
    const digests = { cf: { db: { DB_URL: 'old' } }, ocp: { db: URL }, rack: { db: URL } };
    expect(faults(db({ shared: true }), digests)['cf']).toEqual(['DB_URL is another than on ocp']);
  });

  it('lacks what another platform has, one variable or all', () => {
    const digests = { cf: { db: { ...URL, DB_CA: '9' } }, ocp: { db: URL }, rack: {} };
    expect(faults(db(), digests)).toEqual({
      cf: [],
      ocp: ['DB_CA is missing, which cf has'],
      rack: ['db hands out nothing'],
    });
  });

  it('is not compared with a platform of which nothing is known, nor with nothing', () => {
    expect(faults(db({ shared: true }), { cf: { db: URL }, ocp: undefined, rack: { db: URL } })).toEqual({
      ...{ cf: [], rack: [] },
    });
    expect(faults(db(), { cf: {}, ocp: {}, rack: {} })).toEqual({ cf: [], ocp: [], rack: [] });
  });
});
