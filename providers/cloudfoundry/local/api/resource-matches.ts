import { type ApiRoute, created } from '../api-types.ts';

/** No file is kept for the next upload: a client may not count on it, and sends them all. */
export function resourceMatchRoutes(): readonly ApiRoute[] {
  return [{ method: 'POST', pattern: '/v3/resource_matches', handler: () => created({ resources: [] }) }];
}
