import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { cpus, freemem, hostname, totalmem, userInfo } from 'node:os';
import { type ZodType, z } from 'zod';
import { platformError, SluiceError, toWire } from '../../core/errors.ts';
import { isReleaseId } from '../../core/ids.ts';
import type { Logger } from '../../core/ports.ts';
import { taskAtWork } from '../../core/task-power.ts';
import { readBody } from '../../lib/read-body.ts';
import type { Happenings } from './happenings.ts';
import type { Keeper } from './keeper.ts';
import { manifestSchema } from './release-folders.ts';
import { runSchema } from './state.ts';
import { type HostTasks, taskWishSchema } from './tasks.ts';
import type { VolumeFolders } from './volumes.ts';

const LARGEST_JSON_BYTES = 16 * 1_048_576;
const LARGEST_ARCHIVE_BYTES = 1_073_741_824;
const MOST_LINES = 500;
const APPLICATION = /^[a-z0-9][a-z0-9-]{0,62}$/;

const VOLUME = /^[a-z][a-z0-9]{0,15}$/;
const RUN = /^[a-z0-9][a-z0-9-]{0,62}$/;

const instances = z.number().int().min(0).max(1_000);
const wishSchema = z.strictObject({ run: runSchema, instances });
const scaleSchema = z.strictObject({ instances });

const restartSchema = z.strictObject({ instance: z.string(), since: z.number() });

const marksSchema = z.strictObject({
  marks: z.record(z.string(), z.strictObject({ memory: z.number(), lines: z.number().int().min(0) })),
});

interface Call {
  readonly request: IncomingMessage;
  readonly application: string;
  readonly release: string;
  /** Of a task. */
  readonly run: string;
  readonly volume: string;
  readonly query: URLSearchParams;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (call: Call) => Promise<object> | object;
}

/** The daemon's API, one line a verb. All answers are JSON; errors are `{ "error": … }` as in `toWire`. */
export function hostRoutes(
  keeper: Keeper,
  tasks: HostTasks,
  volumes: VolumeFolders,
  happenings: Pick<Happenings, 'memory' | 'after'>,
  about: { readonly onOwnerExit: string },
  logger: Logger,
): RequestListener {
  const app = '/v1/applications/(?<application>[^/]+)';
  const release = `${app}/releases/(?<release>[^/]+)`;
  const task = `${app}/tasks/(?<run>[^/]+)`;
  const volume = `${app}/volumes/(?<volume>[^/]+)`;
  const routes: readonly Route[] = [
    route('GET', '/v1/info', () => ({ ...info(), ...about })),
    route('GET', '/v1/applications', () => ({ applications: keeper.applications() })),
    route('GET', app, (call) => keeper.view(call.application)),
    route('GET', `${app}/logs`, (call) => {
      const lines = Number(call.query.get('lines') ?? MOST_LINES);
      return { lines: keeper.logs(call.application, Math.min(MOST_LINES, Math.max(0, lines))) };
    }),
    route('GET', `${app}/happenings`, (call) => ({
      memory: happenings.memory,
      happenings: happenings.after(call.application, Number(call.query.get('after') ?? 0) || 0),
    })),
    // A read, although it is a POST: the marks of many instances are too long for an address.
    route('POST', `${app}/logs`, async (call) =>
      keeper.logsAfter(call.application, (await readJson(call, marksSchema)).marks),
    ),
    route('PUT', `${release}/manifest`, async (call) => {
      const manifest = await readJson(call, manifestSchema);
      return { wanted: keeper.offer(call.application, call.release, manifest) };
    }),
    route('PUT', `${release}/content`, async (call) => {
      await keeper.receive(call.application, call.release, await bodyOf(call, LARGEST_ARCHIVE_BYTES));
      return {};
    }),
    route('PUT', `${release}/instances`, async (call) => {
      const wish = await readJson(call, wishSchema);
      await keeper.run(call.application, call.release, wish.run, wish.instances);
      return {};
    }),
    route('PUT', `${release}/trial`, async (call) => {
      const wish = await readJson(call, wishSchema);
      await keeper.runTrial(call.application, call.release, wish.run, wish.instances);
      return {};
    }),
    route('DELETE', `${release}/trial`, async (call) => {
      await keeper.endTrial(call.application, call.release);
      return {};
    }),
    route('PUT', `${app}/instances`, async (call) => {
      const wish = await readJson(call, scaleSchema);
      return { release: await keeper.scale(call.application, wish.instances) };
    }),
    route('PUT', `${app}/stopped`, async (call) => {
      await keeper.stop(call.application);
      return {};
    }),
    route('DELETE', `${app}/stopped`, async (call) => ({ release: await keeper.start(call.application) })),
    route('PUT', `${app}/restart`, async (call) => {
      const wish = await readJson(call, restartSchema);
      await keeper.restart(call.application, wish.instance, wish.since);
      return {};
    }),
    route('DELETE', release, async (call) => {
      const run = await tasks.atWork(call.application, call.release);
      if (run !== undefined) throw taskAtWork('host', call.release, run);
      await keeper.retire(call.application, call.release);
      return {};
    }),
    route('PUT', task, async (call) => {
      await tasks.start(call.application, call.run, await readJson(call, taskWishSchema));
      return {};
    }),
    route('GET', task, async (call) => {
      const from = Math.max(0, Number(call.query.get('from') ?? 0) || 0);
      return (await tasks.view(call.application, call.run, from)) ?? noTask(call);
    }),
    route('POST', `${task}/stop`, async (call) => {
      await tasks.stop(call.application, call.run);
      return {};
    }),
    route('DELETE', task, async (call) => {
      await tasks.forget(call.application, call.run);
      return {};
    }),
    route('GET', `${app}/volumes`, async (call) => ({ volumes: await volumes.list(call.application) })),
    route('PUT', volume, async (call) => ({ path: await volumes.ensure(call.application, call.volume) })),
    route('DELETE', volume, async (call) => {
      await volumes.remove(call.application, call.volume);
      return {};
    }),
    route('DELETE', app, async (call) => {
      await tasks.destroy(call.application);
      await keeper.destroy(call.application);
      return {};
    }),
  ];

  return function answerHost(request, response) {
    dispatch(routes, request)
      .then((body) => send(response, 200, body))
      .catch((caught: unknown) => {
        const error = SluiceError.from(caught);
        if (error.code === 'BUG') logger.error({ err: caught }, 'a call to the host daemon failed');
        send(response, statusOf(error), { error: toWire(error) });
      });
  };
}

function route(method: string, path: string, answer: Route['answer']): Route {
  return { method, path: new RegExp(`^${path}$`), answer };
}

async function dispatch(routes: readonly Route[], request: IncomingMessage): Promise<object> {
  const url = new URL(request.url ?? '/', 'http://host');
  for (const { method, path, answer } of routes) {
    if (method !== request.method) continue;
    const found = path.exec(url.pathname);
    if (found === null) continue;
    const { application = '', release = '', run = '', volume = '' } = found.groups ?? {};
    // These become parts of paths: nothing but plain names gets through.
    if (found.groups?.['application'] !== undefined && !APPLICATION.test(application))
      throw invalid(`"${application}" is not a name for an application`);
    if (found.groups?.['release'] !== undefined && !isReleaseId(release))
      throw invalid(`"${release}" is not the id of a release`);
    if (found.groups?.['run'] !== undefined && !RUN.test(run))
      throw invalid(`"${run}" is not the name of a run`);
    if (found.groups?.['volume'] !== undefined && !VOLUME.test(volume))
      throw invalid(`"${volume}" is not the name of a volume`);
    return answer({ request, application, release, run, volume, query: url.searchParams });
  }
  throw platformError('unsupported', 'host', `the host daemon has no ${request.method} ${url.pathname}`, {
    why: 'it is of another version than whoever asked',
    remedy: 'use the same version of Sluice on both sides',
  });
}

async function readJson<T>(call: Call, schema: ZodType<T>): Promise<T> {
  const text = (await bodyOf(call, LARGEST_JSON_BYTES)).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('the body is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // Path and message only: the values may be secret.
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`);
}

function bodyOf({ request }: Call, most: number): Promise<Buffer> {
  return readBody(request, most, () => invalid(`the body is larger than ${most} bytes`));
}

function noTask({ run, application }: Call): never {
  throw platformError('notFound', 'host', `there is no task ${run} of ${application} on this host`, {
    why: 'it was never begun here, or is forgotten',
    remedy: 'run it again, if it has to be',
  });
}

function invalid(why: string): SluiceError {
  return platformError('invalid', 'host', 'the host daemon refused the request', {
    why,
    remedy: 'use the same version of Sluice on both sides',
  });
}

function statusOf(error: SluiceError): number {
  switch (error.class) {
    case 'invalid':
      return 400;
    case 'notFound':
      return 404;
    case 'unsupported':
      return 405;
    case 'conflict':
      return 409;
    default:
      return 500;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function info(): object {
  return {
    api: 'v1',
    pid: process.pid,
    hostname: hostname(),
    user: userInfo().username,
    cpus: cpus().length,
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
  };
}
