import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { z } from 'zod';
import type { Control } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { EventLog } from '../core/ports.ts';

const runBody = z.strictObject({
  task: z.string().max(100).optional(),
  command: z.string().max(4_096).optional(),
  platform: z.string().max(100).optional(),
  timeoutMs: z.number().int().positive().optional(),
});

const settleBody = z.strictObject({ as: z.enum(['succeeded', 'failed']) });

/** Commands that run once. Answers when one is begun; the rest are events. */
export function tasksApi(
  app: FastifyInstance,
  { control, events, read, operate }: TasksApiDeps,
  whoAsks: (request: FastifyRequest) => string,
): void {
  function tell(request: FastifyRequest, act: string, subject: string): void {
    events.append({ type: 'operator.act', act, who: whoAsks(request), subject, reason: '' });
  }
  app.get('/v1/tasks', read, async () => control.tasks());
  app.post<{ Params: { application: string } }>(
    '/v1/applications/:application/run',
    operate,
    async (request, reply) => {
      const { application } = request.params;
      const { task, command, platform, timeoutMs } = bodyOf(runBody, request.body);
      const started = await control.run({ application, task, command, platform, timeoutMs });
      // Not the command: it may hold what nobody should read.
      tell(request, 'run', `${task ?? 'a command'} on ${started.platform} of ${application}`);
      return reply.code(202).send(started);
    },
  );
  app.post<{ Params: { run: string } }>('/v1/tasks/:run/cancel', operate, async (request) => {
    const cancelled = await control.cancelRun(request.params.run);
    if (cancelled !== undefined) tell(request, 'cancel', `run ${cancelled.run} of ${cancelled.application}`);
    return cancelled ?? null;
  });
  app.post<{ Params: { run: string } }>('/v1/tasks/:run/settle', operate, async (request) => {
    const { as } = bodyOf(settleBody, request.body);
    const settled = await control.settleRun(request.params.run, as);
    if (settled !== undefined)
      tell(request, 'settle', `run ${settled.run} of ${settled.application} as ${as}`);
    return settled ?? null;
  });
}

interface TasksApiDeps {
  readonly control: Pick<Control, 'run' | 'tasks' | 'cancelRun' | 'settleRun'>;
  readonly events: EventLog;
  readonly read: RouteShorthandOptions;
  readonly operate: RouteShorthandOptions;
}

function bodyOf<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new SluiceError('USAGE', 'this is not what it takes', {
    why: z.prettifyError(parsed.error),
    remedy: 'see docs/operating.md for what it holds',
  });
}
