import { z } from 'zod';
import { decode } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { notFound, unprocessable } from '../errors.ts';
import type { AppRow } from '../state.ts';
import { findByPath } from './find.ts';

const FEATURES: Readonly<Record<string, string>> = {
  ssh: 'Enable SSHing into the app.',
  revisions: 'Enable versioning of an application',
  'service-binding-k8s': 'Enable k8s service bindings for the app',
  'file-based-vcap-services': 'Enable file-based VCAP service bindings for the app',
};
const featureBody = z.strictObject({ enabled: z.boolean() });

export function appFeatureRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { apps } = cloud.state;

  function present(app: AppRow, name: string): object {
    const description = FEATURES[name];
    if (description === undefined) throw notFound('Feature');
    return { name, description, enabled: app.features[name] ?? false };
  }

  function named(request: ApiRequest): { app: AppRow; name: string } {
    return { app: findByPath(apps, request, 'App'), name: request.params['name'] ?? '' };
  }

  return [
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/features',
      handler(request) {
        const app = findByPath(apps, request, 'App');
        const names = Object.keys(FEATURES);
        // Relative, as the real one has them.
        const here = { href: request.path };
        return ok({
          resources: names.map((name) => present(app, name)),
          pagination: {
            total_results: names.length,
            total_pages: 1,
            first: here,
            last: here,
            next: null,
            previous: null,
          },
        });
      },
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/features/:name',
      handler(request) {
        const { app, name } = named(request);
        return ok(present(app, name));
      },
    },
    {
      method: 'PATCH',
      pattern: '/v3/apps/:guid/features/:name',
      handler(request) {
        const { app, name } = named(request);
        present(app, name);
        const { enabled } = decode(featureBody, request.body);
        const other = name === 'service-binding-k8s' ? 'file-based-vcap-services' : 'service-binding-k8s';
        if (enabled && name.includes('-') && app.features[other]) {
          throw unprocessable(`'${name}' cannot be enabled while '${other}' is`);
        }
        app.features[name] = enabled;
        return ok(present(app, name));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/ssh_enabled',
      handler(request) {
        findByPath(apps, request, 'App');
        return ok({ enabled: false, reason: 'Disabled globally' });
      },
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/permissions',
      handler(request) {
        findByPath(apps, request, 'App');
        return ok({ read_basic_data: true, read_sensitive_data: true });
      },
    },
  ];
}
