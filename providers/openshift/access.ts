import { hasClass } from '../../src/core/errors.ts';
import type { Site } from './site.ts';
import { accessReviewSchema } from './wire.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

/** May we, in our namespace? Undefined where rights cannot be asked for: then the first write will tell. */
export async function mayWe(
  site: Site,
  right: Right,
  signal: AbortSignal,
): Promise<{ readonly allowed: boolean; readonly reason: string | undefined } | undefined> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { namespace: site.options.namespace, ...right } },
  };
  try {
    const { status } = await site.client.review(REVIEWS, review, accessReviewSchema, signal);
    return { allowed: status.allowed, reason: status.reason };
  } catch (error) {
    if (hasClass(error, 'unsupported')) return undefined;
    throw error;
  }
}

/** `patch deployments.apps`, as `oc auth can-i` says it. */
export function nameOf({ verb, group, resource, subresource }: Right): string {
  const plural = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${plural}${subresource === undefined ? '' : `/${subresource}`}`;
}
