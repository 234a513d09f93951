import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Acts, Control, Drills, WireWish } from '../core/control.ts';
import { SluiceError, toWire, type WireError } from '../core/errors.ts';
import type { DrainCounts } from '../core/log-drain.ts';
import type { Logs } from '../core/logs.ts';
import type { WorkerCounters } from '../core/messages.ts';
import type { Operations } from '../core/operations.ts';
import type { EventLog, Runnable } from '../core/ports.ts';
import { releaseLabel } from '../core/release.ts';
import type { RoutingTable } from '../core/routing-table.ts';
import type { AdminSettings } from '../core/settings.ts';
import type { Explanation, StatusView } from '../core/status.ts';
import { authenticate, checkAdminBinding, mayDo, type Role } from './admin-auth.ts';
import { streamEvents } from './event-stream.ts';
import { logStream } from './log-stream.ts';
import { createMetrics } from './metrics.ts';
import { operationsApi } from './operations-api.ts';
import { tasksApi } from './tasks-api.ts';

const BUNDLE_LIMIT = 1024 * 1024 * 1024;

export interface AdminApiDeps {
  readonly settings: AdminSettings;
  readonly status: () => StatusView;
  readonly table: () => RoutingTable;
  /** Now, or at a moment (epoch milliseconds). */
  readonly explain: (application: string, at: number | undefined) => Explanation | undefined;
  /** What all workers counted, for /metrics. */
  readonly counters: () => WorkerCounters;
  readonly events: EventLog;
  readonly control: Control;
  readonly acts: Acts;
  readonly operations: Operations;
  readonly drills: Drills;
  /** What applications print; redacted already. */
  readonly logs: Logs;
  readonly drains?: () => readonly DrainCounts[];
  /** Applied to every answer: platforms' own error texts may repeat a secret. Events come redacted already. */
  readonly redact: (answer: unknown) => unknown;
  /** True once a table is served. */
  readonly ready: () => boolean;
  /** True when all is about to end: whoever stands in front shall look elsewhere. */
  readonly stopping?: () => boolean;
}

export interface AdminApi extends Runnable {
  readonly port: number;
}

/** What the command line and the dashboards are clients of. */
export function createAdminApi(deps: AdminApiDeps): AdminApi {
  const { settings } = deps;
  const app = fastify({ bodyLimit: BUNDLE_LIMIT, forceCloseConnections: true });
  const streams = new Set<() => void>();
  let port = 0;

  app.addContentTypeParser('application/gzip', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook('preSerialization', async (_request, _reply, answer) => deps.redact(answer));
  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, {
      code: 'USAGE',
      message: `there is no ${request.method} ${request.url.split('?')[0]}`,
      remedy: 'see docs/operating.md for what there is',
    }),
  );

  probes(app, deps);
  views(app, deps, streams);
  acts(app, deps);
  orders(app, deps);
  drills(app, deps);
  const operate = { onRequest: requireRole(settings, 'operate') };
  const whoAsks = (request: FastifyRequest) => callerOf(settings, request)?.name ?? 'unknown';
  operationsApi(app, deps.operations, operate, whoAsks);
  const read = { onRequest: requireRole(settings, 'read') };
  tasksApi(app, { control: deps.control, events: deps.events, read, operate }, whoAsks);

  return {
    name: 'admin API',
    get port() {
      return port;
    },
    async start() {
      checkAdminBinding(settings);
      try {
        await app.listen({ host: settings.host, port: settings.port });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
        throw new SluiceError(
          'PORT_IN_USE',
          `the admin API cannot listen on ${settings.host}:${settings.port}`,
          {
            where: 'gateway.admin',
            why: 'another program has the port; perhaps another `sluice serve`',
            remedy: 'stop it or set gateway.admin.port',
          },
        );
      }
      const address = app.server.address();
      port = typeof address === 'object' && address ? address.port : settings.port;
    },
    async close() {
      for (const end of streams) end();
      await app.close();
    },
  };
}

/** Open to all who reach the port: load balancers and scrapers carry no tokens. */
function probes(app: FastifyInstance, deps: AdminApiDeps): void {
  const metrics = createMetrics(deps.status, deps.counters, deps.drains);
  app.get('/livez', async () => 'ok\n');
  app.get('/readyz', async (_request, reply) => {
    if (deps.stopping?.() === true) return reply.code(503).send('stopping\n');
    if (deps.ready()) return 'ok\n';
    return reply.code(503).send('no routing table yet\n');
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.render()),
  );
}

function views(app: FastifyInstance, deps: AdminApiDeps, streams: Set<() => void>): void {
  const read = { onRequest: requireRole(deps.settings, 'read') };
  app.get('/v1/status', read, async () => deps.status());
  app.get('/v1/table', read, async () => deps.table());
  app.get<{ Params: { application: string } }>('/v1/writer/:application', read, async (request) =>
    writerIn(deps.table(), request.params.application),
  );
  app.get<{ Params: { application: string }; Querystring: { at?: string } }>(
    '/v1/explain/:application',
    read,
    async (request) => {
      const { application } = request.params;
      const at = request.query.at === undefined ? undefined : Number(request.query.at);
      const explanation = deps.explain(application, at);
      if (explanation) return explanation;
      if (at === undefined) throw new SluiceError('USAGE', `there is no application "${application}"`);
      throw new SluiceError('USAGE', `no decision for "${application}" is known of that time`, {
        why: 'the event log does not reach back so far, or there is no such application',
        remedy: '`sluice events --json` prints what there is',
      });
    },
  );
  app.get<{ Querystring: { since?: string; limit?: string; last?: string } }>(
    '/v1/events',
    read,
    async (request, reply) => {
      const since = sinceOf(request.headers['last-event-id'] ?? request.query.since);
      if (request.headers.accept?.includes('text/event-stream')) {
        reply.hijack();
        streamEvents(deps.events, since, reply.raw, streams);
        return reply;
      }
      const { limit, last } = request.query;
      // Who asks for the newest does not page on from there.
      return last === undefined
        ? deps.events.since(since, limitOf(limit))
        : deps.events.since(since).slice(-limitOf(last));
    },
  );
  logStream(app, deps.logs, read, streams);
  app.get('/v1/deployments', read, async () => deps.control.deployments());
  app.get<{ Params: { application: string } }>('/v1/releases/:application', read, async (request) =>
    deps.control.releases(request.params.application),
  );
}

/** For applications that want to know whether they may write: the same as the fields that come with requests. */
function writerIn({ routes }: RoutingTable, application: string): object {
  const route = routes.find((one) => one.application === application);
  if (route === undefined) throw new SluiceError('USAGE', `there is no application "${application}"`);
  const { writes } = route;
  if (writes?.kind !== 'single') return { application, writes: writes?.kind ?? 'anywhere' };
  const { writer = null, epoch, next } = writes;
  return { application, writes: 'single', writer, epoch, ...(next === undefined ? {} : { next }) };
}

/** A sequence number, or `now`: nothing of the past. */
function sinceOf(given: string | string[] | undefined): number {
  return given === 'now' ? Number.MAX_SAFE_INTEGER : Number(given ?? 0) || 0;
}

function limitOf(given: string | undefined): number {
  const limit = Number(given);
  return Number.isInteger(limit) && limit > 0 ? limit : 1_000;
}

interface BundleQuery {
  application: string;
  platforms?: string;
  digest: string;
  configuration?: string;
  commit?: string;
}

function acts(app: FastifyInstance, deps: AdminApiDeps): void {
  const { control, settings } = deps;
  const operate = { onRequest: requireRole(settings, 'operate') };
  function tell(request: FastifyRequest, act: string, subject: string, reason: string): void {
    const who = callerOf(settings, request)?.name ?? 'unknown';
    deps.events.append({ type: 'operator.act', act, who, subject, reason });
  }
  app.post<{ Querystring: BundleQuery; Body: Buffer }>('/v1/deployments', operate, async (request, reply) =>
    reply.code(202).send(await control.deploy(wishOf(request.query, request.body))),
  );
  app.post<{ Querystring: BundleQuery; Body: Buffer }>('/v1/plan', operate, async (request) =>
    control.plan(wishOf(request.query, request.body)),
  );
  app.post<{ Params: { application: string } }>(
    '/v1/applications/:application/rollback',
    operate,
    async (request, reply) => {
      const { to, platforms, force } = bodyOf(rollbackBody, request.body, 'a rollback');
      const { application } = request.params;
      const started = await control.rollback({ application, to, platforms, force: force === true });
      const subject = `${application} to ${releaseLabel(started.release)}`;
      tell(request, 'rollback', subject, force === true ? 'forced' : '');
      return reply.code(202).send(started);
    },
  );
  app.get('/v1/locks', { onRequest: requireRole(settings, 'read') }, async () => control.locks());
  app.post<{ Params: { application: string } }>('/v1/locks/:application/break', operate, async (request) => {
    const { reason } = bodyOf(breakBody, request.body, 'a reason to break a lock');
    const { application } = request.params;
    const broken = await control.breakLock(application, reason);
    if (broken !== undefined) tell(request, 'lock break', `${application}, held by ${broken.holder}`, reason);
    return broken ?? null;
  });
  app.post<{ Params: { id: string } }>('/v1/deployments/:id/resume', operate, async (request, reply) =>
    reply.code(202).send(await control.resume(request.params.id)),
  );
  app.post<{ Params: { application: string }; Querystring: { platforms?: string; services?: string } }>(
    '/v1/applications/:application/destroy',
    { onRequest: requireRole(settings, 'admin') },
    async (request) => {
      const platforms = namesIn(request.query.platforms);
      const { application } = request.params;
      const services = request.query.services === 'true';
      const what = `${application}${services ? ' with its services' : ''}`;
      tell(request, 'destroy', `${what} on ${platforms?.join(', ') ?? 'all platforms'}`, '');
      return control.destroy({ application, platforms, services });
    },
  );
}

const rollbackBody = z.strictObject({
  to: z.string().max(100).optional(),
  platforms: z.array(z.string()).min(1).optional(),
  force: z.boolean().optional(),
});

const breakBody = z.strictObject({ reason: z.string().min(1).max(500) });

function bodyOf<T extends z.ZodType>(schema: T, body: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new SluiceError('USAGE', `this is not ${what}`, {
    why: z.prettifyError(parsed.error),
    remedy: 'see docs/operating.md for what it holds',
  });
}

const actBody = z.strictObject({
  kind: z.enum(['drain', 'failover', 'failback', 'hold', 'fence', 'weights']),
  platform: z.string().optional(),
  application: z.string().optional(),
  weights: z.record(z.string(), z.number().min(0)).optional(),
  reason: z.string().max(500),
  forMs: z.number().int().positive().optional(),
  force: z.boolean().optional(),
});

/** What people order of judgement, and what is in force. */
function orders(app: FastifyInstance, { acts, settings }: AdminApiDeps): void {
  const operate = { onRequest: requireRole(settings, 'operate') };
  const who = (request: FastifyRequest) => callerOf(settings, request)?.name ?? 'unknown';
  app.get('/v1/acts', { onRequest: requireRole(settings, 'read') }, async () => acts.acts());
  app.post('/v1/acts', operate, async (request, reply) => {
    const { platform, application, weights, forMs, force, ...rest } = actOf(request.body);
    const wish = { ...rest, platform, application, forMs, force: force === true, who: who(request) };
    return reply.code(201).send(await acts.order(weights === undefined ? wish : { ...wish, weights }));
  });
  app.post('/v1/acts/lift', operate, async (request) => {
    const { kind, platform, application, reason } = actOf(request.body);
    return acts.lift({ kind, platform, application, reason, who: who(request) });
  });
}

function actOf(body: unknown): z.output<typeof actBody> {
  const parsed = actBody.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new SluiceError('USAGE', 'this is no order', {
    why: z.prettifyError(parsed.error),
    remedy: 'see docs/operating.md for what an order holds',
  });
}

const drillBody = z.strictObject({
  platform: z.string(),
  application: z.string().optional(),
  /** A configured one. */
  name: z.string().optional(),
  forMs: z.number().int().min(1_000).max(86_400_000).optional(),
  force: z.boolean().optional(),
});

/** Rehearsed losses of platforms; what became of them is told by events. */
function drills(app: FastifyInstance, { drills, settings }: AdminApiDeps): void {
  app.get('/v1/drills', { onRequest: requireRole(settings, 'read') }, async () => drills.drills());
  app.post('/v1/drills', { onRequest: requireRole(settings, 'operate') }, async (request, reply) => {
    const parsed = drillBody.safeParse(request.body);
    if (!parsed.success) {
      throw new SluiceError('USAGE', 'this is no drill', {
        why: z.prettifyError(parsed.error),
        remedy: 'see docs/operating.md for what a drill holds',
      });
    }
    const { platform, application, name, forMs, force } = parsed.data;
    const who = callerOf(settings, request)?.name ?? 'unknown';
    const wish = { platform, application, name, forMs, force: force === true, who };
    return reply.code(202).send(await drills.drill(wish));
  });
}

function wishOf(query: BundleQuery, body: unknown): WireWish {
  const { application, platforms, digest, configuration, commit } = query;
  // A name given twice arrives as a list.
  const named = [application, digest, platforms ?? 'all', configuration ?? '', commit ?? ''].every(
    (given) => typeof given === 'string',
  );
  // Nothing at all is an image; an empty bundle is a mistake.
  const archive = Buffer.isBuffer(body) && body.length > 0 ? body : undefined;
  const odd = archive === undefined && body !== undefined && body !== null;
  if (!named || application === '' || digest === '' || odd) {
    throw new SluiceError('USAGE', 'a deployment needs application, digest and a bundle', {
      remedy:
        'POST the tar.gz as application/gzip with ?application=…&digest=sha256:…; of an image, its digest and no body',
    });
  }
  return {
    ...{ application, platforms: namesIn(platforms), archive, digest },
    ...(configuration === undefined ? {} : { configuration }),
    // It is shown to people, and nothing else is made of it.
    ...(commit === undefined || !/^[0-9a-f]{7,64}$/.test(commit) ? {} : { commit }),
  };
}

function namesIn(list: string | undefined): readonly string[] | undefined {
  return list === undefined || list === '' ? undefined : list.split(',');
}

function callerOf(settings: AdminSettings, request: FastifyRequest): ReturnType<typeof authenticate> {
  const { authorization, host, origin } = request.headers;
  return authenticate(settings, { authorization, host, origin });
}

/** Asked before the body is read: a stranger must not fill our memory. */
function requireRole(settings: AdminSettings, role: Role) {
  return async function checkRole(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const caller = callerOf(settings, request);
    if (!caller) {
      reply.header('www-authenticate', 'Bearer');
      return refuse(reply, 401, whyUnknown(settings));
    }
    if (mayDo(caller, role)) return undefined;
    return refuse(reply, 403, {
      code: 'SERVER_REFUSED',
      message: `the token "${caller.name}" may only ${caller.role}`,
      remedy: `use one with role ${role}`,
    });
  };
}

function whyUnknown(settings: AdminSettings): WireError {
  if (Object.keys(settings.tokens).length > 0) {
    return {
      code: 'SERVER_REFUSED',
      message: 'a valid token is needed',
      remedy: 'pass --token, or set SLUICE_TOKEN',
    };
  }
  return {
    code: 'SERVER_REFUSED',
    message: 'without tokens only programs of this machine may ask, and no web page',
    remedy: 'ask 127.0.0.1 or localhost, or name tokens under gateway.admin.tokens',
  };
}

function refuse(reply: FastifyReply, status: number, error: WireError): FastifyReply {
  return reply.code(status).send({ error });
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  USAGE: 400,
  CONFIG_INVALID: 400,
  SOURCE_UNREADABLE: 400,
  LOCK_HELD: 409,
  SAFETY_VETO: 409,
};

function sendError(reply: FastifyReply, caught: unknown): void {
  const status = (caught as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    refuse(reply, status, { code: 'USAGE', message: (caught as Error).message });
    return;
  }
  const error = SluiceError.from(caught);
  refuse(reply, STATUS_OF_CODE[error.code] ?? 500, toWire(error));
}
