import { z } from 'zod';
import { decode } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { featureDisabled, notFound } from '../errors.ts';
import type { FeatureFlag } from '../operator-state.ts';
import { timestamp } from '../time.ts';

const updateBody = z.strictObject({
  enabled: z.boolean(),
  custom_error_message: z.string().nullish(),
});

/** What the operator allows everybody; there is one user here, who is the operator too. */
export function featureFlagRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { clock, state, urls } = cloud;
  const path = '/v3/feature_flags';

  function flagOf(request: ApiRequest): FeatureFlag {
    const flag = state.featureFlags.get(request.params['guid'] ?? '');
    if (!flag) throw notFound('Feature flag');
    return flag;
  }

  function present(flag: FeatureFlag): object {
    return {
      name: flag.name,
      enabled: flag.enabled,
      updated_at: flag.updatedAt === null ? null : timestamp(flag.updatedAt),
      custom_error_message: flag.customErrorMessage,
      links: { self: { href: `${urls.api}${path}/${flag.name}` } },
    };
  }

  return [
    {
      method: 'GET',
      pattern: path,
      query: ['page', 'per_page', 'order_by', 'updated_ats'],
      handler() {
        const resources = [...state.featureFlags.values()].map(present);
        const href = `${urls.api}${path}?page=1&per_page=50`;
        const pagination = {
          total_results: resources.length,
          total_pages: 1,
          first: { href },
          last: { href },
          next: null,
          previous: null,
        };
        return ok({ pagination, resources });
      },
    },
    { method: 'GET', pattern: `${path}/:guid`, handler: (request) => ok(present(flagOf(request))) },
    {
      method: 'PATCH',
      pattern: `${path}/:guid`,
      handler(request) {
        const flag = flagOf(request);
        const body = decode(updateBody, request.body);
        flag.enabled = body.enabled;
        flag.customErrorMessage = body.custom_error_message ?? null;
        flag.updatedAt = clock.now();
        return ok(present(flag));
      },
    },
  ];
}

/** Throws where the operator has switched it off. */
export function requireFlag({ state }: Pick<Cloud, 'state'>, name: string): void {
  if (state.featureFlags.get(name)?.enabled !== true) throw featureDisabled(name);
}
