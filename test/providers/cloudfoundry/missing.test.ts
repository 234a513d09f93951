import { describe, expect, it } from '@jest/globals';
import { endpointOf, isUnknownEndpoint } from '../../../providers/cloudfoundry/missing.ts';

describe('an endpoint', () => {
  it.each([
    ['GET', '/v3/apps/0b1c/droplets?per_page=2', 'GET /v3/apps/:id/droplets'],
    ['POST', '/v3/apps/0b1c/actions/start', 'POST /v3/apps/:id/actions/start'],
    ['GET', '/v3/apps/0b1c/processes/web', 'GET /v3/apps/:id/processes/web'],
    ['DELETE', '/v3/processes/0b1c/instances/0', 'DELETE /v3/processes/:id/instances/:id'],
    ['GET', '/v3/service_plans', 'GET /v3/service_plans'],
  ] as const)('is what calls have in common: %s %s', (method, path, pattern) => {
    expect(endpointOf({ method, path })).toBe(pattern);
  });

  it.each([
    [404, { errors: [{ code: 10000, title: 'CF-NotFound', detail: 'Unknown request' }] }, '', true],
    [404, { errors: [{ code: 10010, title: 'CF-ResourceNotFound', detail: 'App not found' }] }, '', false],
    [404, undefined, '404 page not found\n', true],
    [404, undefined, "404 Not Found: Requested route ('api.example.com') does not exist.\n", false],
    [405, undefined, '', true],
    [501, undefined, '', true],
    [503, undefined, '', false],
  ])('is unknown to the API, or something else is wrong: %s %j %s', (status, json, text, expected) => {
    expect(isUnknownEndpoint({ status, json, text, headers: {} })).toBe(expected);
  });
});
