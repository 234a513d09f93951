import { z } from 'zod';
import { decode } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, created, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { notFound } from '../errors.ts';
import { LIST_QUERY, listPage } from '../pagination.ts';
import { findByPath } from './find.ts';

const FEATURES: Readonly<Record<string, string>> = {
  ssh: 'Enable SSHing into the app.',
  revisions: 'Enable versioning of an application',
};
const featureBody = z.strictObject({ enabled: z.boolean() });

/** What clients ask for in passing: answered truthfully, and mostly with "none". */
export function extraRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;

  function feature(request: ApiRequest): { name: string; description: string; enabled: boolean } {
    const app = findByPath(state.apps, request, 'App');
    const name = request.params['name'] ?? '';
    const description = FEATURES[name];
    if (description === undefined) throw notFound('Feature');
    return { name, description, enabled: app.features[name] ?? false };
  }

  function nothingOf(pattern: string, query: readonly string[] = []): ApiRoute {
    return {
      method: 'GET',
      pattern,
      query: [...LIST_QUERY, 'label_selector', ...query],
      handler: (request) => ok(listPage(request, urls.api, [], { filters: {}, present: () => undefined })),
    };
  }

  return [
    {
      method: 'POST',
      pattern: '/v3/resource_matches',
      handler: () => created({ resources: [] }),
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/features/:name',
      handler: (request) => ok(feature(request)),
    },
    {
      method: 'PATCH',
      pattern: '/v3/apps/:guid/features/:name',
      handler(request) {
        const { name } = feature(request);
        const app = findByPath(state.apps, request, 'App');
        app.features[name] = decode(featureBody, request.body).enabled;
        return ok(feature(request));
      },
    },
    nothingOf('/v3/apps/:guid/sidecars'),
    nothingOf('/v3/processes/:guid/sidecars'),
    nothingOf('/v3/apps/:guid/revisions', ['versions']),
    nothingOf('/v3/apps/:guid/revisions/deployed'),
  ];
}
