import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
} from '../../src/core/provider.ts';
import { autoscalerOf, refuseBeside } from './autoscaler.ts';
import { readRollout } from './deployed.ts';
import { isOurs } from './names.ts';
import { DEPLOYMENT } from './resources.ts';
import { judgeRollout } from './rollout.ts';
import { foreignError, type Site } from './site.ts';
import { failed, handleOf } from './status.ts';

/** On top of what the application itself is given to become ready: a node may have to be found and an image pulled. */
const GRACE_MS = 60_000;

export async function scale(
  site: Site,
  context: ProviderContext,
  application: string,
  instances: number,
): Promise<Operation> {
  const deployment = await site.client.get(DEPLOYMENT, application, context.signal);
  if (!deployment) {
    throw platformError('notFound', site.platform, `${application} does not run there`, {
      why: `namespace "${site.options.namespace}" has no Deployment of that name`,
      remedy: 'deploy it first',
    });
  }
  if (!isOurs(deployment.metadata, application)) throw foreignError(site, [`Deployment ${application}`]);
  if (deployment.spec.strategy?.type === 'Recreate' && instances > 1) throw oneOnly(site, application);
  const autoscaler = await autoscalerOf(site, application, context.signal);
  const { replicas } = deployment.spec;
  if (autoscaler) {
    // As many as were asked for run already, and the autoscaler takes back what nobody needs.
    if (replicas < instances) throw refuseBeside(site, autoscaler, replicas, instances);
  } else await site.client.scale(application, instances, context.signal);
  const allowedMs = deployment.spec.progressDeadlineSeconds * 1_000 + GRACE_MS;
  return {
    handle: handleOf(site, context, application, 'scale', {
      instances: String(instances),
      ...(autoscaler ? { autoscaler: autoscaler.metadata.name } : {}),
      deadline: String(context.now() + allowedMs),
    }),
  };
}

function oneOnly({ platform }: Site, application: string): Error {
  return platformError('invalid', platform, `${application} runs as one instance only`, {
    why: 'its volume is ReadWriteOnce: an instance on another node would wait for it for ever',
    remedy: 'use `accessMode: ReadWriteMany` where the storage can',
  });
}

export async function pollScale(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const seen = await readRollout(site, handle.application, context.signal);
  if (!seen) return { state: 'lost', message: `Deployment ${handle.application} is gone` };
  const wanted = Number(handle.native['instances']);
  const { replicas } = seen.deployment.spec;
  const isEnough = handle.native['autoscaler'] === undefined ? replicas === wanted : replicas >= wanted;
  if (!isEnough) {
    return { state: 'lost', message: `somebody else scaled it to ${replicas}` };
  }
  const rollout = judgeRollout(seen.deployment, seen.replicaSets, seen.pods);
  if (rollout.state === 'done') return { state: 'succeeded', message: rollout.message };
  const what = `${handle.application} could not be scaled to ${wanted}`;
  if (rollout.state === 'failed') {
    const { why, remedy } = rollout;
    return failed(rollout.class, site, what, { why, remedy });
  }
  if (context.now() < Number(handle.native['deadline'])) return { ...rollout, retryAfterMs: 500 };
  return failed('timeout', site, what, {
    why: rollout.message,
    remedy: 'is there room in the cluster? `oc get pods`, `oc get events`',
  });
}
