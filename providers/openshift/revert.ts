import { platformError, type SluiceError } from '../../src/core/errors.ts';
import type { OperationHandle, ProviderContext } from '../../src/core/provider.ts';
import { autoscalerOf, replicasFor } from './autoscaler.ts';
import type { Deployed } from './deployed.ts';
import { type Replicas, restoredDeployment } from './manifests.ts';
import { NUMBER } from './names.ts';
import { refusalIn } from './refusals.ts';
import { DEPLOYMENT, POD } from './resources.ts';
import { previousReplicaSet, type Rollout } from './rollout.ts';
import type { Site } from './site.ts';
import { warningsOf } from './warnings.ts';
import type { PodTemplate } from './wire.ts';

const TAIL_LINES = 20;
/** An annotation is no log. */
const REASON_LENGTH = 500;

/**
 * A release that did not start is taken back: the template before it returns, its instances never having gone away.
 * Where there was none, the failed one is scaled to 0 rather than left crashing. Gives the error to report.
 */
export async function revert(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
  seen: Deployed,
  failure: Extract<Rollout, { state: 'failed' }>,
): Promise<SluiceError> {
  const { application, native } = handle;
  const warnings = failure.about === undefined ? [] : await warningsOf(site, failure.about, context.signal);
  // What it warned of may be a refusal that we know to explain.
  const known = warnings.map(refusalIn).find((refusal) => refusal !== undefined);
  const why = known?.why ?? [failure.why, ...warnings].join('; ');
  const logTail = failure.pod ? await lastWords(site, failure.pod, context.signal) : [];
  const previous = previousReplicaSet(seen.deployment, seen.replicaSets, native['previous']);
  const autoscaler = await autoscalerOf(site, application, context.signal);
  const before = Number(native['replicas'] ?? seen.deployment.spec.replicas);
  const replicas = replicasFor(autoscaler, seen.deployment, before);
  const to: { template: PodTemplate; replicas: Replicas } = previous
    ? { template: previous.spec.template, replicas }
    : { template: seen.deployment.spec.template, replicas: 0 };
  const failed = { release: native['release'] ?? '', reason: why.slice(0, REASON_LENGTH) };
  await site.client.apply(
    DEPLOYMENT,
    restoredDeployment(seen.deployment, application, to, failed),
    true,
    context.signal,
  );

  const number = previous?.spec.template.metadata.annotations[NUMBER];
  const outcome = previous
    ? `; ${number === undefined ? 'the one before' : `r${number}`} was put back and serves on`
    : '; nothing ran there before, so it was scaled to 0';
  return platformError(
    known?.class ?? failure.class,
    site.platform,
    `release ${native['label'] ?? native['release']} did not start${outcome}`,
    { why, remedy: known?.remedy ?? failure.remedy, ...(logTail.length === 0 ? {} : { logTail }) },
  );
}

/** Of a crashed container the log that counts is the one of the run that ended. */
async function lastWords(
  site: Site,
  pod: { name: string; crashed: boolean },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const tail = { tailLines: TAIL_LINES };
  const ended = pod.crashed
    ? await site.client.log(POD, pod.name, { ...tail, previous: 'true' }, signal)
    : '';
  const text = ended || (await site.client.log(POD, pod.name, tail, signal)) || '';
  return text.split('\n').filter((line) => line !== '');
}
