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
      const { task, command, platform, timeoutMs } = wishIn(request.body);
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
}

interface TasksApiDeps {
  readonly control: Pick<Control, 'run' | 'tasks' | 'cancelRun'>;
  readonly events: EventLog;
  readonly read: RouteShorthandOptions;
  readonly operate: RouteShorthandOptions;
}

function wishIn(body: unknown): z.output<typeof runBody> {
  const parsed = runBody.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new SluiceError('USAGE', 'this is nothing to run', {
    why: z.prettifyError(parsed.error),
    remedy: 'see docs/operating.md for what it holds',
  });
}
