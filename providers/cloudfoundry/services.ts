import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { HandedOut } from '../../src/core/service-power.ts';
import {
  type ServiceSource,
  type ServiceSpec,
  serviceVariables,
  VOLUME_KEY,
} from '../../src/core/services.ts';
import type { Session } from './client.ts';
import { findOwnApp, requireOwnApp } from './find.ts';
import {
  type Binding,
  bind,
  bindingParameters,
  byName,
  changePlan,
  findBinding,
  findInstance,
  type Instance,
  instanceName,
  makeInstance,
  refuseForeignInstance,
} from './service-instances.ts';
import { failed, handleOf, next, running } from './status.ts';

/** Brokers take minutes for a database. */
const LONGEST_MS = 30 * 60_000;

const detailsSchema = z.object({
  credentials: z.record(z.string(), z.unknown()).nullish(),
  volume_mounts: z.array(z.object({ container_dir: z.string() })).nullish(),
});

/** Begun here, and carried on by each poll: one thing after the other, each found again by its name. */
export async function ensureServices(
  session: Session,
  context: ProviderContext,
  want: TargetSpec,
): Promise<Operation> {
  const { application, services = [] } = want;
  const app = await requireOwnApp(session, application);
  for (const service of services) await begin(session, application, app.guid, service);
  const names = services.map((service) => [service.name, instanceName(application, service)]);
  // What a broker is told may be secret, and a handle holds none: those are bound by whoever begins this again.
  const later = services.filter(({ source }) => bindOf(source) !== undefined).map(({ name }) => name);
  const handle = handleOf(session.platform, application, 'services', context.now(), {
    ...{ app: app.guid, instances: JSON.stringify(names), later: later.join(' ') },
  });
  return { handle };
}

/** As far as it goes now: an instance takes its broker minutes, and nothing binds to it before. */
async function begin(
  session: Session,
  application: string,
  app: string,
  service: ServiceSpec,
): Promise<void> {
  const { source } = service;
  const found = await findInstance(session, application, service);
  if (found === undefined) {
    if (source.how === 'provision') await makeInstance(session, application, service.name, source);
    return;
  }
  if (source.how === 'provision') {
    refuseForeignInstance(session, service.name, found);
    await changePlan(session, found, source);
  }
  const parameters = bindOf(source);
  if (parameters === undefined) return;
  const binding = await findBinding(session, app, found.guid);
  if (binding !== undefined) await refuseOtherBinding(session, service.name, binding, parameters);
  else if ((found.last_operation?.state ?? 'succeeded') === 'succeeded')
    await bind(session, application, { app, instance: found.guid }, parameters);
}

function bindOf(source: ServiceSource): Readonly<Record<string, unknown>> | undefined {
  return 'bind' in source ? source.bind : undefined;
}

/** To bind anew with the same name, the old binding must go first, and with it what running instances have mounted. */
async function refuseOtherBinding(
  session: Session,
  service: string,
  { guid }: Binding,
  wanted: Readonly<Record<string, unknown>>,
): Promise<void> {
  const told = await bindingParameters(session, guid);
  if (told === undefined || isDeepStrictEqual(told, wanted)) return;
  throw platformError('conflict', session.platform, `${service} is bound in another way`, {
    why: 'its binding was made with other parameters than `bind` has now, and cannot be changed',
    remedy: 'unbind it (cf unbind-service) at a time when the application may lack it, then deploy again',
  });
}

export async function pollServices(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app = '', instances = '[]' } = handle.native;
  const wanted: readonly (readonly [string, string])[] = JSON.parse(instances);
  const later = (handle.native['later'] ?? '').split(' ');
  for (const [service, name] of wanted) {
    const found = await byName(session, name);
    if (found === undefined) return notThere(session, service, name);
    const instance = judge(session, context, handle, service, found);
    if (instance !== undefined) return instance;
    const binding = await findBinding(session, app, found.guid);
    if (binding === undefined) {
      if (later.includes(service)) continue;
      await bind(session, handle.application, { app, instance: found.guid });
      return running(handle, context.now(), `${service} is being bound`, { handle: next(handle, {}) });
    }
    const bound = judge(session, context, handle, service, binding);
    if (bound !== undefined) return bound;
  }
  return { state: 'succeeded', message: `${wanted.map(([service]) => service).join(', ')} are bound` };
}

/** Undefined: it is there. What the broker says is passed on in its own words. */
function judge(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  service: string,
  thing: { readonly last_operation?: Instance['last_operation'] },
): OperationStatus | undefined {
  const { state = 'succeeded', type = 'create', description } = thing.last_operation ?? {};
  if (state === 'succeeded') return undefined;
  const why = description ?? `${type} ${state}`;
  if (state === 'failed') {
    return failed('invalid', session.platform, `${service} could not be made ready`, {
      why,
      remedy:
        'mend what its broker complains of; then delete the failed instance (cf delete-service) and deploy again',
    });
  }
  if (context.now() - handle.startedAt < LONGEST_MS)
    return running(handle, context.now(), `${service}: ${why}`);
  return failed('timeout', session.platform, `${service} is not ready after ${LONGEST_MS / 60_000} min`, {
    why,
    remedy: 'look at it: cf service; then deploy again',
  });
}

function notThere(session: Session, service: string, name: string): OperationStatus {
  return failed('notFound', session.platform, `there is no service instance ${name}`, {
    why: `${service} is to come from it, and none of that name is in this org and space`,
    remedy:
      'make it (cf create-service, cf create-user-provided-service), or name an `offering` and a `plan`',
  });
}

/** Of each service that is bound; undefined where the application is not there. */
export async function handedOut(
  session: Session,
  application: string,
  services: readonly ServiceSpec[],
): Promise<HandedOut | undefined> {
  const app = await findOwnApp(session, application);
  if (app === undefined) return undefined;
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const service of services) {
    const instance = await findInstance(session, application, service);
    const binding = instance && (await findBinding(session, app.guid, instance.guid));
    if (binding === undefined || (binding.last_operation?.state ?? 'succeeded') !== 'succeeded') continue;
    const path = `/v3/service_credential_bindings/${binding.guid}/details`;
    const { credentials, volume_mounts } = await session.get(path, detailsSchema);
    const [mount] = volume_mounts ?? [];
    const folder = mount === undefined ? {} : { [VOLUME_KEY]: mount.container_dir };
    found[service.name] = serviceVariables(service.name, { ...folder, ...credentials });
  }
  return found;
}

/** The environment with what its services hand out; nothing of those that are not bound yet. */
export async function withServices(session: Session, want: TargetSpec): Promise<TargetSpec> {
  const { application, services = [] } = want;
  if (services.length === 0) return want;
  const handed = (await handedOut(session, application, services)) ?? {};
  // What the file says for this platform stands above it.
  return { ...want, env: Object.assign({}, ...Object.values(handed), want.env) };
}
