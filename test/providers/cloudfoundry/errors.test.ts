import { describe, expect, it } from '@jest/globals';
import { errorOf as errorAt } from '../../../providers/cloudfoundry/errors.ts';
import type { ApiAnswer, ApiCall } from '../../../src/lib/api-client.ts';

const call: ApiCall = { method: 'POST', path: '/v3/builds' };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): ApiAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, text, json: typeof body === 'string' ? undefined : body };
}

function errorOf(given: ApiAnswer, of: ApiCall) {
  return errorAt('cf-eu', 1_000_000, given, of);
}

function failure(code: number, title: string, detail: string) {
  return { errors: [{ code, title, detail }] };
}

describe('errors of the API', () => {
  it.each([
    [401, failure(1000, 'CF-InvalidAuthToken', 'Invalid Auth Token'), 'auth'],
    [403, failure(10003, 'CF-NotAuthorized', 'You are not authorized'), 'forbidden'],
    [403, failure(390014, 'CF-DeploymentsDisabled', 'Deployments cannot be created'), 'unsupported'],
    [404, failure(10010, 'CF-ResourceNotFound', 'App not found'), 'notFound'],
    [404, failure(10000, 'CF-NotFound', 'Unknown request'), 'unsupported'],
    [422, failure(10008, 'CF-UnprocessableEntity', 'memory space_quota_exceeded for space s'), 'quota'],
    [400, failure(100005, 'CF-AppMemoryQuotaExceeded', 'You have exceeded the limit'), 'quota'],
    [422, failure(10016, 'CF-UniquenessError', "App with the name 'a' already exists."), 'conflict'],
    [
      422,
      failure(10008, 'CF-UnprocessableEntity', 'Cannot scale this process while a deployment is in flight.'),
      'conflict',
    ],
    [422, failure(10008, 'CF-UnprocessableEntity', 'Instances must be positive'), 'invalid'],
    [400, failure(10005, 'CF-BadQueryParameter', 'Unknown query parameter'), 'invalid'],
    [503, failure(10015, 'CF-ServiceUnavailable', 'try later'), 'unavailable'],
    [503, failure(20004, 'CF-UaaUnavailable', 'UAA is down'), 'unavailable'],
    [500, failure(10001, 'UnknownError', 'An unknown error occurred.'), 'unavailable'],
  ])('takes %i %j as %s', (status, body, expected) => {
    const error = errorOf(answer(status, body), call);
    expect(error.class).toBe(expected);
    expect(error.details.where).toBe('cf-eu');
    expect(error.details.why).toContain(body.errors[0]?.detail);
    expect(error.details.remedy).toBeTruthy();
  });

  it('tells the gorouter before the API from the API', () => {
    const text = "404 Not Found: Requested route ('api.example.com') does not exist.\n";
    const gone = errorOf(answer(404, text, { 'x-cf-routererror': 'unknown_route' }), call);
    expect(gone.class).toBe('unavailable');
    expect(gone.details.why).toContain('does not exist');
    expect(errorOf(answer(502, '502 Bad Gateway'), call).class).toBe('unavailable');
  });

  it('waits as long as it is told to when it is too fast', () => {
    const body = failure(10013, 'CF-RateLimitExceeded', 'Rate Limit Exceeded');
    const error = errorOf(answer(429, body, { 'retry-after': '7' }), call);
    expect(error.class).toBe('rateLimited');
    expect(error.details.retryAfterMs).toBe(7_000);
    // The same code as a name that is taken, and something else entirely.
    const broker = failure(10016, 'CF-ServiceBrokerRateLimitExceeded', 'too many');
    expect(errorOf(answer(429, broker), call).class).toBe('rateLimited');
  });

  it('waits for the next window when that is all it is told', () => {
    const body = failure(10013, 'CF-RateLimitExceeded', 'Rate Limit Exceeded');
    // Now is second 1000.
    expect(errorOf(answer(429, body, { 'x-ratelimit-reset': '1012' }), call).details.retryAfterMs).toBe(
      12_000,
    );
    expect(errorOf(answer(429, body), call).details.retryAfterMs).toBeUndefined();
  });

  it('names the request, for the operator’s logs', () => {
    const body = failure(10008, 'CF-UnprocessableEntity', 'no');
    const error = errorOf(answer(422, body, { 'x-vcap-request-id': 'f3b1' }), call);
    expect(error.details.why).toBe('no (CF-UnprocessableEntity) [request f3b1]');
  });
});
