import type { Observation, ProviderContext } from '../../src/core/provider.ts';
import { backgroundRead } from '../../src/lib/background.ts';
import { instanceLabels, isOurs, ownerLabels, RELEASE, selector } from './names.ts';
import { observeProcesses } from './processes.ts';
import { BUILD_RUN, DEPLOYMENT, IMAGE_STREAM, POD, REPLICA_SET, SECRET, SERVICE } from './resources.ts';
import type { Site } from './site.ts';
import { instanceOf, originsOf, ownEnvironment, releasesOf, secretOf, servingRelease } from './translate.ts';
import { observeTrial } from './trial.ts';
import type { NamespaceWatch } from './watch/namespace-watch.ts';
import type { Thing } from './wire.ts';

/**
 * Who only looks reads our copy while it is fresh, and hears how old it is. Who is about to write, or waits for an
 * answer, must see the last write, and reads the API.
 */
export async function observe(
  site: Site,
  watch: NamespaceWatch,
  context: ProviderContext,
  application: string,
): Promise<Observation> {
  const copy = backgroundRead()?.urgent === false ? await watch.copy(site.client, context.signal) : undefined;
  if (copy === undefined) return read(site, context, application);
  return { ...(await read({ ...site, client: copy.client }, context, application)), asOf: copy.knownAt };
}

async function read(site: Site, context: ProviderContext, application: string): Promise<Observation> {
  const { signal } = context;
  const { client } = site;
  const began = site.clock.monotonic();
  const labels = selector(instanceLabels(application));
  const [processes, deployment, service, route, stream, builds, replicaSets, pods, trial, usages] =
    await Promise.all([
      observeProcesses(site, application, signal),
      client.get(DEPLOYMENT, application, signal),
      client.get(SERVICE, application, signal),
      client.get(site.routing, application, signal),
      client.get(IMAGE_STREAM, application, signal),
      client.list(BUILD_RUN, selector(ownerLabels(application)), signal),
      client.list(REPLICA_SET, labels, signal),
      client.list(POD, labels, signal),
      observeTrial(site, application, signal),
      site.usageOf(signal),
    ]);
  const named = { Deployment: deployment, Service: service, [site.routing.kind]: route, ImageStream: stream };
  const ours = <T extends Thing>(thing: T | undefined): T | undefined =>
    thing && isOurs(thing.metadata, application) ? thing : undefined;
  const own = ours(deployment);
  const secretName = secretOf(own?.spec.template);
  const secret = secretName === undefined ? undefined : await client.get(SECRET, secretName, signal);
  const wanted = own?.spec.template.metadata.labels[RELEASE];
  return {
    at: context.now(),
    apiLatencyMs: site.clock.monotonic() - began,
    exists: own !== undefined || ours(stream) !== undefined || ours(service) !== undefined,
    releases: releasesOf(builds, replicaSets, pods),
    serving: servingRelease(pods, wanted),
    ...(pods.length === 0 && wanted !== undefined ? { standing: wanted } : {}),
    instances: pods.map((pod) => instanceOf(pod, usages)),
    desired: own?.spec.replicas ?? 0,
    ...(processes === undefined ? {} : { processes }),
    ...(trial === undefined ? {} : { trial: trial.seen }),
    origins: [...(own ? originsOf(ours(route), site.options) : []), ...(trial?.origins ?? [])],
    credentials: client.life(),
    env: ownEnvironment(secret?.data ?? {}),
    foreign: Object.entries(named).flatMap(([kind, thing]) =>
      thing && !isOurs(thing.metadata, application) ? [`${kind} ${application}`] : [],
    ),
  };
}
