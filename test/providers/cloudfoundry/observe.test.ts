import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { context, listOf, refusal, type StubApi, stubApi } from './stub-api.ts';

let api: StubApi;

beforeEach(async () => {
  api = await stubApi();
});

afterEach(() => api.close());

it('an observation bears that a trial ends between two of its reads', async () => {
  const labels = {
    'sluice.dev/managed-by': 'sluice',
    'sluice.dev/application': 'shop',
    'sluice.dev/trial': 'r-0123456789',
  };
  api.handle = ({ path, query }) => {
    if (path === '/v3/apps') {
      if (!query.has('label_selector')) return listOf();
      return listOf({
        guid: 'app-t',
        name: 'shop-trial-r-0123456789',
        state: 'STARTED',
        metadata: { labels },
      });
    }
    if (path.startsWith('/v3/apps/app-t/')) return refusal(404, 'CF-ResourceNotFound', 'App not found');
    return undefined;
  };
  const seen = await api.provider().observe(context, 'shop');
  expect(api.seen).toContain('GET /v3/apps/app-t/processes');
  expect(seen.trial).toBeUndefined();
  expect(seen.exists).toBe(false);
});
