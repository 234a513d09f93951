import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Control, WireWish } from '../core/control.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { EventLog, Runnable } from '../core/ports.ts';
import type { RoutingTable } from '../core/routing-table.ts';
import type { AdminSettings } from '../core/settings.ts';
import type { Explanation, StatusView } from '../core/status.ts';
import { authenticate, checkAdminBinding, mayDo, type Role } from './admin-auth.ts';
import { streamEvents } from './event-stream.ts';
import { createMetrics } from './metrics.ts';

const BUNDLE_LIMIT = 1024 * 1024 * 1024;

export interface AdminApiDeps {
  readonly settings: AdminSettings;
  readonly status: () => StatusView;
  readonly table: () => RoutingTable;
  readonly explain: (application: string) => Explanation | undefined;
  readonly events: EventLog;
  readonly control: Control;
  /** True once a table is served. */
  readonly ready: () => boolean;
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
  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send({ error: { code: 'USAGE', message: `there is no ${request.method} ${request.url}` } }),
  );

  probes(app, deps);
  views(app, deps, streams);
  acts(app, deps);

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
  const metrics = createMetrics(deps.status);
  app.get('/livez', async () => 'ok\n');
  app.get('/readyz', async (_request, reply) => {
    if (deps.ready()) return 'ok\n';
    return reply.code(503).send('no routing table yet\n');
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.render()),
  );
}

function views(app: FastifyInstance, deps: AdminApiDeps, streams: Set<() => void>): void {
  const read = { preHandler: requireRole(deps.settings, 'read') };
  app.get('/v1/status', read, async () => deps.status());
  app.get('/v1/table', read, async () => deps.table());
  app.get<{ Params: { application: string } }>('/v1/explain/:application', read, async (request) => {
    const explanation = deps.explain(request.params.application);
    if (explanation) return explanation;
    throw new SluiceError('USAGE', `there is no application "${request.params.application}"`);
  });
  app.get<{ Querystring: { since?: string; limit?: string } }>('/v1/events', read, async (request, reply) => {
    const since = sinceOf(request.headers['last-event-id'] ?? request.query.since);
    if (request.headers.accept?.includes('text/event-stream')) {
      reply.hijack();
      streamEvents(deps.events, since, request.raw, reply.raw, streams);
      return reply;
    }
    return deps.events.since(since, Number(request.query.limit ?? 1_000) || 1_000);
  });
  app.get('/v1/deployments', read, async () => deps.control.deployments());
  app.get<{ Params: { application: string } }>('/v1/releases/:application', read, async (request) =>
    deps.control.releases(request.params.application),
  );
}

/** A sequence number, or `now`: nothing of the past. */
function sinceOf(given: string | string[] | undefined): number {
  return given === 'now' ? Number.MAX_SAFE_INTEGER : Number(given ?? 0) || 0;
}

interface BundleQuery {
  application: string;
  platforms?: string;
  digest: string;
}

function acts(app: FastifyInstance, deps: AdminApiDeps): void {
  const { control, settings } = deps;
  const operate = { preHandler: requireRole(settings, 'operate') };
  app.post<{ Querystring: BundleQuery; Body: Buffer }>('/v1/deployments', operate, async (request, reply) =>
    reply.code(202).send(await control.deploy(wishOf(request.query, request.body))),
  );
  app.post<{ Querystring: BundleQuery; Body: Buffer }>('/v1/plan', operate, async (request) =>
    control.plan(wishOf(request.query, request.body)),
  );
  app.post<{ Params: { id: string } }>('/v1/deployments/:id/resume', operate, async (request, reply) =>
    reply.code(202).send(await control.resume(request.params.id)),
  );
  app.post<{ Params: { application: string }; Querystring: { platforms?: string } }>(
    '/v1/applications/:application/destroy',
    { preHandler: requireRole(settings, 'admin') },
    async (request) => {
      const who = callerOf(settings, request)?.name ?? 'unknown';
      const platforms = namesIn(request.query.platforms);
      const { application } = request.params;
      const subject = `${application} on ${platforms?.join(', ') ?? 'all platforms'}`;
      deps.events.append({ type: 'operator.act', act: 'destroy', who, subject, reason: '' });
      return control.destroy(application, platforms);
    },
  );
}

function wishOf(query: BundleQuery, archive: Buffer): WireWish {
  if (!query.application || !query.digest || !Buffer.isBuffer(archive)) {
    throw new SluiceError('USAGE', 'a deployment needs application, digest and a bundle', {
      remedy: 'POST the tar.gz as application/gzip with ?application=…&digest=sha256:…',
    });
  }
  return {
    application: query.application,
    platforms: namesIn(query.platforms),
    archive,
    digest: query.digest,
  };
}

function namesIn(list: string | undefined): readonly string[] | undefined {
  return list === undefined || list === '' ? undefined : list.split(',');
}

function callerOf(settings: AdminSettings, request: FastifyRequest): ReturnType<typeof authenticate> {
  const { authorization, host, origin } = request.headers;
  return authenticate(settings, { authorization, host, origin });
}

function requireRole(settings: AdminSettings, role: Role) {
  return async function checkRole(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const caller = callerOf(settings, request);
    if (!caller) {
      await reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({
          error: { code: 'SERVER_REFUSED', message: 'a valid token is needed', remedy: 'pass --token' },
        });
    } else if (!mayDo(caller, role)) {
      await reply.code(403).send({
        error: {
          code: 'SERVER_REFUSED',
          message: `the token "${caller.name}" may only ${caller.role}`,
          remedy: `use one with role ${role}`,
        },
      });
    }
  };
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
  const error =
    typeof status === 'number' && status < 500
      ? new SluiceError('USAGE', (caught as Error).message)
      : SluiceError.from(caught);
  reply.code(STATUS_OF_CODE[error.code] ?? 500).send({ error: toWire(error) });
}
