import { instanceLabels, isOurs, selector } from './names.ts';
import { DEPLOYMENT, POD, REPLICA_SET } from './resources.ts';
import type { Site } from './site.ts';
import type { Deployment, Pod, ReplicaSet } from './wire.ts';

/** A Deployment with all that came of it. */
export interface Deployed {
  readonly deployment: Deployment;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

export async function readRollout(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<Deployed | undefined> {
  const labels = selector(instanceLabels(application));
  const [deployment, replicaSets, pods] = await Promise.all([
    site.client.get(DEPLOYMENT, application, signal),
    site.client.list(REPLICA_SET, labels, signal),
    site.client.list(POD, labels, signal),
  ]);
  if (!deployment || !isOurs(deployment.metadata, application)) return undefined;
  return { deployment, replicaSets, pods };
}
