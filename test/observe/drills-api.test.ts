import { afterEach, describe, expect, it } from '@jest/globals';
import type { DrillWish } from '../../src/core/control.ts';
import { DEFAULT_EXPECTATIONS, type DrillRecord } from '../../src/core/drill.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { type TestAdmin, testAdmin } from './admin.ts';

let admin: TestAdmin;

afterEach(() => admin.close());

const RECORD: DrillRecord = {
  ...{
    id: 'dr-1',
    name: 'lose-cf',
    application: 'shop',
    platform: 'cf',
    who: 'ci',
    startedAt: 1,
    forMs: 60_000,
  },
  ...{ expect: DEFAULT_EXPECTATIONS, phase: 'shifting', phaseSince: 1, why: [] },
  before: { shares: { cf: 1 }, p95Ms: 0, instances: {} },
  evidence: { requests: 0, failed: 0, slowestMs: 0, peakRps: 0, carriers: {} },
};

const JSON_TYPE = { 'content-type': 'application/json' };
const OPERATE = { ...JSON_TYPE, authorization: 'Bearer operate-token-of-ci' };
const READ = { ...JSON_TYPE, authorization: 'Bearer read-token-of-bob' };

async function serving(): Promise<readonly DrillWish[]> {
  const wishes: DrillWish[] = [];
  admin = await testAdmin({
    tokens: {
      ci: { token: 'operate-token-of-ci', role: 'operate' },
      bob: { token: 'read-token-of-bob', role: 'read' },
    },
    drills: {
      async drill(wish) {
        wishes.push(wish);
        if (wish.platform === 'busy') {
          throw new SluiceError('SAFETY_VETO', 'the drill of busy did not begin', { why: 'a\nb' });
        }
        return RECORD;
      },
      drills: async () => [RECORD],
    },
  });
  return wishes;
}

describe('/v1/drills', () => {
  it('begins a drill in the name of the token, and lists what there is', async () => {
    const wishes = await serving();
    const body = JSON.stringify({ platform: 'cf', forMs: 60_000, force: true });
    expect(await admin.ask('/v1/drills', { method: 'POST', headers: OPERATE, body })).toMatchObject({
      status: 202,
      json: { id: 'dr-1', phase: 'shifting' },
    });
    expect(wishes).toEqual([
      { platform: 'cf', application: undefined, name: undefined, forMs: 60_000, force: true, who: 'ci' },
    ]);
    expect(await admin.ask('/v1/drills', { headers: READ })).toMatchObject({ status: 200, json: [RECORD] });
  });

  it('says with 409 all that speaks against it', async () => {
    await serving();
    const body = JSON.stringify({ platform: 'busy' });
    expect(await admin.ask('/v1/drills', { method: 'POST', headers: OPERATE, body })).toMatchObject({
      status: 409,
      json: { error: { code: 'SAFETY_VETO', why: 'a\nb' } },
    });
  });

  it.each([
    ['nothing', {}],
    ['a moment', { platform: 'cf', forMs: 10 }],
    ['more than it may say', { platform: 'cf', who: 'root' }],
  ])('refuses %s', async (_what, body) => {
    const wishes = await serving();
    const options = { method: 'POST', headers: OPERATE, body: JSON.stringify(body) } as const;
    expect(await admin.ask('/v1/drills', options)).toMatchObject({
      status: 400,
      json: { error: { code: 'USAGE', message: 'this is no drill' } },
    });
    expect(wishes).toEqual([]);
  });

  it('is begun by nobody who may only read', async () => {
    const wishes = await serving();
    const body = JSON.stringify({ platform: 'cf' });
    expect(await admin.ask('/v1/drills', { method: 'POST', headers: READ, body })).toMatchObject({
      status: 403,
    });
    expect(wishes).toEqual([]);
  });
});
