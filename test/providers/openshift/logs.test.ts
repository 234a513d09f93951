import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import { type FakeApi, fakeApi, NAMESPACE, refuse } from './fake-api.ts';

const PODS = `/api/v1${NAMESPACE}/pods`;
let api: FakeApi;
let provider: PlatformProvider;
let restarts: number;
let printed: { now: string[]; before: string[] };

beforeEach(async () => {
  api = await fakeApi();
  provider = api.provider();
  restarts = 0;
  printed = { now: [], before: [] };
  api.script(({ path, query }) => {
    if (path === PODS) {
      const labels = { 'sluice.dev/release': 'r-0000000001' };
      const status = { containerStatuses: [{ restartCount: restarts, state: {}, lastState: {} }] };
      return {
        status: 200,
        json: { metadata: {}, items: [{ metadata: { name: 'shop-1', labels }, status }] },
      };
    }
    if (path !== `${PODS}/shop-1/log`) return undefined;
    const isBefore = query.get('previous') === 'true';
    if (isBefore && restarts === 0) return refuse(400, 'previous terminated container not found');
    return {
      status: 200,
      text: (isBefore ? printed.before : printed.now).map((line) => `${line}\n`).join(''),
    };
  });
});

afterEach(() => api.close());

async function texts(after?: string): Promise<{ texts: readonly string[]; cursor: string }> {
  const query = { lines: 10, ...(after === undefined ? {} : { after }) };
  const page = await provider.logs!(api.context, 'shop', query);
  return { texts: page.lines.map(({ text }) => text), cursor: page.cursor };
}

describe('what an instance printed', () => {
  it('begins with the end of the run before, where it was started anew', async () => {
    restarts = 1;
    printed = {
      before: ['2026-11-20T20:00:01Z cannot open the database'],
      now: ['2026-11-20T20:00:05Z listening'],
    };
    expect((await texts()).texts).toEqual(['cannot open the database', 'listening']);
  });

  it('asks for no run before where there was none', async () => {
    printed.now = ['2026-11-20T20:00:05Z listening'];
    expect((await texts()).texts).toEqual(['listening']);
    expect(api.calls.filter(({ query }) => query.has('previous'))).toEqual([]);
  });

  it('goes on over a restart without a line twice', async () => {
    printed.now = ['2026-11-20T20:00:05Z listening'];
    const { cursor } = await texts();
    restarts = 1;
    printed = {
      before: ['2026-11-20T20:00:05Z listening', '2026-11-20T20:00:07Z out of memory'],
      now: ['2026-11-20T20:00:09Z listening again'],
    };
    const next = await texts(cursor);
    expect(next.texts).toEqual(['out of memory', 'listening again']);
    expect((await texts(next.cursor)).texts).toEqual([]);
  });
});
