import type { ResponseHead } from './wire.ts';

/**
 * `undelivered`: the platform's router says itself that no instance saw the request. `unserved`: a gateway on the
 * way says it got no answer; an instance may have seen the request. `answer`: the application's word, as far as
 * anybody can tell.
 */
export type HeadMeaning = 'undelivered' | 'unserved' | 'answer';

/**
 * Cloud Foundry's router names its own errors in `X-Cf-RouterError`. OpenShift's gives the same 503 page for an
 * unknown host, for no pod and for a pod that closed the connection, so its page proves nothing and counts with all
 * other gateway errors.
 */
export function meaningOf(head: ResponseHead): HeadMeaning {
  const { status } = head;
  if (status === 404 || status === 503) {
    const error = head.field('x-cf-routererror');
    if (error === 'unknown_route' || error === 'no_endpoints') return 'undelivered';
  }
  return status === 502 || status === 503 || status === 504 ? 'unserved' : 'answer';
}
