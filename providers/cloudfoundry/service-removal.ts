import { z } from 'zod';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { MadeService } from '../../src/core/service-power.ts';
import type { Session } from './client.ts';
import { findOwnApp, trialApps } from './find.ts';
import { bindingSchema, findInstance, type Instance, instanceSchema } from './service-instances.ts';
import { failed, finished, handleOf, running } from './status.ts';
import { selectorOf, stamps } from './translate.ts';
import { namedSchema } from './wire.ts';

const toInstance = z.object({ service_instance: z.object({ data: z.object({ guid: z.string() }) }) });
const ownBindingSchema = bindingSchema.extend({ relationships: toInstance });
const anyBindingSchema = z.object({
  name: z.string().nullish(),
  type: z.string(),
  relationships: toInstance.extend({
    app: z.object({ data: z.object({ guid: z.string() }).nullish() }).optional(),
  }),
});
type OwnBinding = z.output<typeof ownBindingSchema>;

interface Ending {
  readonly guid: string;
  readonly name?: string | undefined;
  readonly last_operation?: Instance['last_operation'];
}

/** Bindings of ours to what is not wanted any more; those that somebody else made stay. */
export async function unbindServices(
  session: Session,
  context: ProviderContext,
  { application, services = [] }: TargetSpec,
): Promise<Operation> {
  const app = await findOwnApp(session, application);
  const handle = handleOf(session.platform, application, 'services', context.now(), {});
  if (app === undefined) return finished(handle);
  const bindings = await ownBindings(session, application, app.guid);
  if (bindings.length === 0) return finished(handle);
  const wanted = await Promise.all(services.map((one) => findInstance(session, application, one)));
  const keep = wanted.flatMap((one) => (one === undefined ? [] : [one.guid]));
  const unneeded = bindings.filter((one) => !keep.includes(instanceOf(one)));
  if (unneeded.length === 0) return finished(handle);
  for (const one of unneeded) if (!isEnding(one)) await session.remove(bindingPath(one));
  return { handle: { ...handle, native: { mode: 'unbind', app: app.guid, keep: keep.join(' ') } } };
}

export async function pollUnbinding(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app = '', keep = '' } = handle.native;
  const kept = keep.split(' ');
  const left = (await ownBindings(session, handle.application, app)).filter(
    (one) => !kept.includes(instanceOf(one)),
  );
  return pollEnding(session, context, handle, left, {
    ...{ path: bindingPath, what: 'bindings' },
    remedy: 'deploy again, or unbind it yourself: cf unbind-service',
  });
}

export async function madeServices(session: Session, application: string): Promise<readonly MadeService[]> {
  const instances = await madeInstances(session, application);
  if (instances.length === 0) return [];
  const [app, trials, bindings] = await Promise.all([
    findOwnApp(session, application),
    trialApps(session, application),
    session.list('/v3/service_credential_bindings', anyBindingSchema, {
      service_instance_guids: instances.map(({ guid }) => guid).join(','),
    }),
  ]);
  const ours = new Set([app, ...trials].map((one) => one?.guid));
  return Promise.all(
    instances.map(async ({ guid, name }): Promise<MadeService> => {
      const others = bindings.filter(
        (one) => instanceOf(one) === guid && !ours.has(one.relationships.app?.data?.guid ?? 'key'),
      );
      const usedBy = await Promise.all(others.map((one) => whoHas(session, one)));
      return { service: name.slice(application.length + 1), what: `service instance ${name}`, usedBy };
    }),
  );
}

async function whoHas(session: Session, binding: z.output<typeof anyBindingSchema>): Promise<string> {
  const guid = binding.relationships.app?.data?.guid;
  if (guid === undefined) return `service key ${binding.name ?? ''}`.trim();
  const app = await session.find(`/v3/apps/${guid}`, namedSchema);
  return `application ${app?.name ?? guid}`;
}

/** Deleting one takes its bindings along, whosever they are: that nobody else uses it is looked at before. */
export async function removeServices(
  session: Session,
  context: ProviderContext,
  application: string,
): Promise<Operation> {
  const handle = handleOf(session.platform, application, 'services', context.now(), { mode: 'remove' });
  const instances = await madeInstances(session, application);
  for (const one of instances) if (!isEnding(one)) await session.remove(instancePath(one));
  return instances.length === 0 ? finished(handle) : { handle };
}

export async function pollRemovedServices(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  return pollEnding(session, context, handle, await madeInstances(session, handle.application), {
    ...{ path: instancePath, what: 'service instances' },
    remedy: 'mend what its broker complains of, then try again; or cf delete-service',
  });
}

/** By looking at what is left, not at jobs: so that it goes on whoever began it. */
async function pollEnding<T extends Ending>(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  left: readonly T[],
  { path, what, remedy }: { path: (one: T) => string; what: string; remedy: string },
): Promise<OperationStatus> {
  for (const one of left) {
    const { type, state, description } = one.last_operation ?? {};
    if (type === 'delete' && state === 'failed') {
      return failed('unavailable', session.platform, `${one.name ?? what} could not be removed`, {
        ...{ why: description || 'its broker does not say why', remedy },
      });
    }
    if (!isEnding(one)) await session.remove(path(one));
  }
  if (left.length === 0) return { state: 'succeeded', message: `the ${what} are gone` };
  return running(handle, context.now(), `${left.length} ${what} are being removed`);
}

function isEnding({ last_operation: last }: Ending): boolean {
  return last?.type === 'delete' && last.state === 'in progress';
}

function ownBindings(session: Session, application: string, app: string): Promise<readonly OwnBinding[]> {
  return session.list('/v3/service_credential_bindings', ownBindingSchema, {
    ...{ app_guids: app, type: 'app', label_selector: selectorOf(stamps(application)) },
  });
}

async function madeInstances(session: Session, application: string): Promise<readonly Instance[]> {
  return session.list('/v3/service_instances', instanceSchema, {
    space_guids: await session.spaceGuid(),
    label_selector: selectorOf(stamps(application)),
  });
}

function instanceOf({ relationships }: Pick<OwnBinding, 'relationships'>): string {
  return relationships.service_instance.data.guid;
}

function bindingPath({ guid }: { readonly guid: string }): string {
  return `/v3/service_credential_bindings/${guid}`;
}

function instancePath({ guid }: { readonly guid: string }): string {
  return `/v3/service_instances/${guid}`;
}
