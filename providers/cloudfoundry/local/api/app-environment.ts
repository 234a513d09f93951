import { z } from 'zod';
import { decode } from '../api-body.ts';
import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { vcapApplication } from '../engine/start-command.ts';
import { vcapServices } from '../engine/vcap-services.ts';
import { unprocessable } from '../errors.ts';
import type { AppRow } from '../state.ts';
import { findByPath } from './find.ts';

const updateBody = z.strictObject({ var: z.record(z.string(), z.string().nullable()) });

/** `null` removes. Instances see none of it before they are started anew. */
export function environment(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const after: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...before, ...changes })) {
    if (name === 'PORT') throw unprocessable('Environment variables cannot set PORT');
    if (/^(VCAP_|VMC)/i.test(name)) {
      throw unprocessable(`Environment variables cannot start with ${name.slice(0, 4).toUpperCase()}`);
    }
    if (value !== null) after[name] = value;
  }
  return after;
}

export function environmentRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { apps } = cloud.state;

  function present(app: AppRow): object {
    const self = `${cloud.urls.api}/v3/apps/${app.guid}`;
    return {
      var: app.env,
      links: { self: { href: `${self}/environment_variables` }, app: { href: self } },
    };
  }

  return [
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/environment_variables',
      handler: (request) => ok(present(findByPath(apps, request, 'App'))),
    },
    {
      method: 'PATCH',
      pattern: '/v3/apps/:guid/environment_variables',
      handler(request) {
        const app = findByPath(apps, request, 'App');
        app.env = environment(app.env, decode(updateBody, request.body).var);
        app.updatedAt = cloud.clock.now();
        cloud.audit.record('audit.app.update', app);
        return ok(present(app));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/env',
      handler(request) {
        const app = findByPath(apps, request, 'App');
        return ok({
          staging_env_json: {},
          running_env_json: {},
          environment_variables: app.env,
          system_env_json: { VCAP_SERVICES: vcapServices(cloud.state, app) },
          application_env_json: { VCAP_APPLICATION: vcapApplication(cloud.state, cloud.urls.api, app) },
        });
      },
    },
  ];
}
