import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { z } from 'zod';
import { SluiceError } from '../core/errors.ts';
import type { Operations } from '../core/operations.ts';

const common = {
  platforms: z.array(z.string()).optional(),
  reason: z.string().max(500).default(''),
  force: z.boolean().default(false),
};
const scaleBody = z.strictObject({
  ...common,
  /** Left out: as configured. */
  instances: z.number().int().optional(),
  forMs: z.number().int().positive().optional(),
});

const powerBody = z.strictObject({
  ...common,
  act: z.enum(['stop', 'start', 'restart']),
  process: z.string().optional(),
  atOnce: z.boolean().default(false),
});

/** What people do to deployed applications. Answers when it is done: per platform what became of it. */
export function operationsApi(
  app: FastifyInstance,
  operations: Operations,
  options: RouteShorthandOptions,
  whoAsks: (request: FastifyRequest) => string,
): void {
  app.post<{ Params: { application: string } }>(
    '/v1/applications/:application/scale',
    options,
    async (request) => {
      const { platforms, instances, forMs, ...rest } = bodyOf(scaleBody, request);
      const { application } = request.params;
      return operations.scale({ ...rest, application, platforms, instances, forMs, who: whoAsks(request) });
    },
  );
  app.post<{ Params: { application: string } }>(
    '/v1/applications/:application/power',
    options,
    async (request) => {
      const { platforms, process, ...rest } = bodyOf(powerBody, request);
      const { application } = request.params;
      return operations.power({ ...rest, application, platforms, process, who: whoAsks(request) });
    },
  );
}

function bodyOf<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  const parsed = schema.safeParse(request.body ?? {});
  if (parsed.success) return parsed.data;
  throw new SluiceError('USAGE', 'this cannot be done', {
    why: z.prettifyError(parsed.error),
    remedy: 'see docs/operating.md for what it takes',
  });
}
