import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { timestamp } from '../time.ts';
import { findByPath } from './find.ts';

export function jobRoutes(cloud: Cloud): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      pattern: '/v3/jobs/:guid',
      handler(request) {
        const job = findByPath(cloud.state.jobs, request, 'Job');
        return ok({
          guid: job.guid,
          created_at: timestamp(job.createdAt),
          updated_at: timestamp(job.updatedAt),
          operation: job.operation,
          state: job.state,
          errors: job.errors,
          warnings: job.warnings,
          links: {
            self: { href: `${cloud.urls.api}/v3/jobs/${job.guid}` },
            ...(job.resource ? { [job.resource.name]: { href: job.resource.href } } : {}),
          },
        });
      },
    },
  ];
}
