import type { Cluster } from './cluster.ts';
import { recordEvent } from './event-record.ts';
import { clone, isObject } from './json.ts';
import { admitPod } from './pod-admission.ts';
import type { Pod, PodTemplate } from './pod-types.ts';
import { PODS } from './resources.ts';
import type { KubeObject } from './types.ts';

interface PodOf {
  /** Whose pod it is: `app-7b8974d6b6`, and what it is called after. */
  readonly owner: KubeObject;
  readonly template: PodTemplate;
  readonly labels?: Readonly<Record<string, string>>;
  /** The controller's name in events. */
  readonly component: string;
}

/** Makes one pod for a controller, or says why the API refused it; either way an event of the owner tells. */
export function createPod(
  cluster: Cluster,
  { owner, template, labels, component }: PodOf,
): { readonly refusal?: string } {
  const { name, namespace = '', uid = '' } = owner.metadata;
  const draft: Pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `${name}-${cluster.store.suffix(5)}`,
      generateName: `${name}-`,
      namespace,
      ...(template.metadata?.labels === undefined && labels === undefined
        ? {}
        : { labels: { ...template.metadata?.labels, ...labels } }),
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [
        {
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: clone(template.spec),
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  };
  const refusal = refuse(cluster, draft);
  if (refusal === undefined) cluster.store.create(PODS, draft);
  recordEvent(
    cluster,
    owner,
    component,
    refusal === undefined
      ? { reason: 'SuccessfulCreate', message: `Created pod: ${draft.metadata.name}` }
      : { reason: 'FailedCreate', message: `Error creating: ${refusal}`, type: 'Warning' },
  );
  return refusal === undefined ? {} : { refusal };
}

function refuse(cluster: Cluster, draft: Pod): string | undefined {
  const { name } = draft.metadata;
  const admitted: KubeObject = draft;
  const forbidden = admitPod(cluster, admitted);
  if (forbidden !== undefined) return `pods "${name}" is forbidden: ${forbidden}`;
  for (const [index, container] of draft.spec.containers.entries()) {
    const image = container.image ?? '';
    if (image !== image.trim()) {
      return `Pod "${name}" is invalid: spec.containers[${index}].image: Invalid value: ${JSON.stringify(image)}: must not have leading or trailing whitespace`;
    }
  }
  if (!cluster.faults.has('quota-exceeded')) return undefined;
  const limits = draft.spec.containers[0]?.resources?.limits;
  const memory = (isObject(limits) ? limits['memory'] : undefined) ?? '256Mi';
  return `pods "${name}" is forbidden: exceeded quota: compute-resources, requested: limits.memory=${memory}, used: limits.memory=1Gi, limited: limits.memory=1Gi`;
}
