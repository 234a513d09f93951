import type { SluiceError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { ApiAnswer, ApiCall } from '../../src/lib/api-client.ts';
import { apiErrorsSchema } from './wire.ts';

/** The platform may be updated while we run. */
const KEPT_MS = 600_000;

/** Segments before a word of the API's; before any other stands somebody's id. */
const BEFORE_WORDS = ['actions', 'relationships', 'processes'];

/** Endpoints that this API has said it does not have, so that they are not asked for at each look. */
export interface Missing {
  /** Why a call is not worth making. */
  known(call: Pick<ApiCall, 'method' | 'path'>): SluiceError | undefined;
  learn(call: Pick<ApiCall, 'method' | 'path'>, error: SluiceError): void;
}

export function createMissing(clock: Clock): Missing {
  const seen = new Map<string, { readonly error: SluiceError; readonly until: number }>();
  return {
    known(call) {
      const found = seen.get(endpointOf(call));
      return found !== undefined && clock.monotonic() < found.until ? found.error : undefined;
    },
    learn(call, error) {
      seen.set(endpointOf(call), { error, until: clock.monotonic() + KEPT_MS });
    },
  };
}

/** `GET /v3/apps/:id/droplets`: what all calls have in common that differ by ids only. */
export function endpointOf({ method, path }: Pick<ApiCall, 'method' | 'path'>): string {
  const segments = path.replace(/\?.*/, '').split('/').slice(1);
  const pattern = segments.map((segment, index) => {
    const before = segments[index - 1];
    const isId = index >= 2 && index % 2 === 0 && before !== undefined && !BEFORE_WORDS.includes(before);
    return isId || (before === 'processes' && index === 2) ? ':id' : segment;
  });
  return `${method} /${pattern.join('/')}`;
}

/**
 * The API knows no such request: in its own words, by the status, or in those of the library that Korifi's router comes
 * from. A gorouter in front of an API that is gone says 404 too, with other words.
 */
export function isUnknownEndpoint({ status, json, text }: ApiAnswer): boolean {
  if (status === 501 || status === 405) return true;
  if (status !== 404) return false;
  const decoded = apiErrorsSchema.safeParse(json);
  if (decoded.success) return decoded.data.errors.some(({ title }) => title === 'CF-NotFound');
  return text.trim() === '404 page not found';
}
