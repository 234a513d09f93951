import type { Operation, OperationHandle, ProviderContext, TargetSpec } from '../../src/core/provider.ts';
import type { HandedOut, MadeService, ServicePower } from '../../src/core/service-power.ts';
import { type ServiceSpec, serviceVariables, VOLUME_KEY } from '../../src/core/services.ts';
import type { HostClient } from './client.ts';

/** Volumes are folders of the host, there for all releases: nothing is waited for. */
export function servicesOf(
  host: HostClient,
  handleOf: (context: ProviderContext, application: string) => OperationHandle,
): ServicePower {
  const done = (context: ProviderContext, application: string): Operation => ({
    handle: handleOf(context, application),
    done: { state: 'succeeded' },
  });
  return {
    async ensure(context, { application, services = [] }) {
      for (const { name } of services.filter(isVolume))
        await host.ensureVolume(application, name, context.signal);
      return done(context, application);
    },
    handedOut: (context, application, services) => handedOut(host, context, application, services),
    async made(context, application) {
      const volumes = await host.volumes(application, context.signal);
      return volumes.map(
        ({ name, path }): MadeService => ({ service: name, what: `folder ${path}`, usedBy: [] }),
      );
    },
    async remove(context, application) {
      for (const { name } of await host.volumes(application, context.signal))
        await host.removeVolume(application, name, context.signal);
      return done(context, application);
    },
  };
}

async function handedOut(
  host: HostClient,
  context: ProviderContext,
  application: string,
  services: readonly ServiceSpec[],
): Promise<HandedOut> {
  const volumes = await host.volumes(application, context.signal);
  const wanted = new Set(services.filter(isVolume).map(({ name }) => name));
  return Object.fromEntries(
    volumes.flatMap(({ name, path }) =>
      wanted.has(name) ? [[name, serviceVariables(name, { [VOLUME_KEY]: path })]] : [],
    ),
  );
}

/** The environment with the paths of its volumes; nothing of those that are not there. */
export async function withVolumes(
  host: HostClient,
  context: ProviderContext,
  want: TargetSpec,
): Promise<TargetSpec> {
  if (want.services === undefined) return want;
  const handed = await handedOut(host, context, want.application, want.services);
  return { ...want, env: Object.assign({}, ...Object.values(handed), want.env) };
}

function isVolume({ source }: ServiceSpec): boolean {
  return source.how === 'volume';
}
