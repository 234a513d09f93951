import type { Cluster } from './cluster.ts';
import { at, isObject, type JsonObject, listAt, objectAt } from './json.ts';
import { quantity } from './quantity.ts';
import { quotaRefusal } from './quota.ts';
import { LIMIT_RANGES, PODS } from './resources.ts';
import type { KubeObject } from './types.ts';

/** The user ids a project's pods may have; OpenShift gives each project a range of its own. */
const USER_RANGE = [1_000_660_000, 1_000_669_999] as const;
const NOT_USABLE = ['anyuid', 'nonroot-v2', 'nonroot', 'hostmount-anyuid', 'hostnetwork-v2', 'privileged'];
const TOLERATIONS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/**
 * What stands between a pod's template and a pod: defaults of the cluster, limit ranges, security context constraints,
 * quotas. Edits the draft; returns why the pod is refused, in the words that follow `is forbidden: `.
 */
export function admitPod(cluster: Cluster, draft: KubeObject): string | undefined {
  const spec = objectAt(draft, 'spec');
  spec['tolerations'] ??= TOLERATIONS.map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  }));
  spec['priority'] ??= 0;
  spec['enableServiceLinks'] ??= true;
  spec['preemptionPolicy'] ??= 'PreemptLowerPriority';
  return (
    limitRefusal(cluster, draft) ??
    (cluster.mode === 'kubernetes' ? undefined : constraintRefusal(spec)) ??
    quotaRefusal(cluster, PODS, draft, draft.metadata.namespace)
  );
}

/** Containers without limits get the namespace's; those over its maximum are refused. */
function limitRefusal(cluster: Cluster, draft: KubeObject): string | undefined {
  const ranges = cluster.store.list(LIMIT_RANGES, draft.metadata.namespace);
  for (const range of ranges.flatMap(({ spec }) => spec.limits).filter(({ type }) => type === 'Container')) {
    for (const container of listAt(draft, 'spec', 'containers')) {
      if (!isObject(container)) continue;
      const resources = objectAt(container, 'resources');
      const limits: JsonObject = { ...range.default, ...objectAt(resources, 'limits') };
      const requests: JsonObject = {
        ...(range.defaultRequest ?? range.default),
        ...objectAt(resources, 'limits'),
        ...objectAt(resources, 'requests'),
      };
      container['resources'] = {
        ...resources,
        ...(Object.keys(limits).length > 0 ? { limits } : {}),
        ...(Object.keys(requests).length > 0 ? { requests } : {}),
      };
      for (const [name, max] of Object.entries(range.max ?? {})) {
        const wanted = limits[name];
        if (wanted === undefined)
          return `maximum ${name} usage per Container is ${max}.  No limit is specified`;
        if ((quantity(wanted) ?? 0) > (quantity(max) ?? 0))
          return `maximum ${name} usage per Container is ${max}, but limit is ${wanted}`;
      }
      for (const [name, min] of Object.entries(range.min ?? {})) {
        const wanted = requests[name];
        if (wanted === undefined)
          return `minimum ${name} usage per Container is ${min}.  No request is specified`;
        if ((quantity(wanted) ?? 0) < (quantity(min) ?? 0))
          return `minimum ${name} usage per Container is ${min}, but request is ${wanted}`;
      }
    }
  }
  return undefined;
}

/** `restricted-v2` is all anybody may use here: no user of one's own choice, no privileges, nothing of the host. */
function constraintRefusal(spec: JsonObject): string | undefined {
  const faults: string[] = [];
  const range = `must be in the ranges: [${USER_RANGE[0]}, ${USER_RANGE[1]}]`;
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if (spec[field] === true)
      faults.push(`.spec.securityContext.${field}: Invalid value: true: ${hostRule(field)}`);
  }
  for (const [index, volume] of listAt(spec, 'volumes').entries()) {
    if (isObject(at(volume, 'hostPath')))
      faults.push(
        `spec.volumes[${index}]: Invalid value: "hostPath": hostPath volumes are not allowed to be used`,
      );
  }
  const podUser = at(spec, 'securityContext', 'runAsUser');
  for (const [index, container] of listAt(spec, 'containers').entries()) {
    const user = at(container, 'securityContext', 'runAsUser') ?? podUser;
    if (typeof user === 'number' && (user < USER_RANGE[0] || user > USER_RANGE[1]))
      faults.push(`.containers[${index}].runAsUser: Invalid value: ${user}: ${range}`);
    if (at(container, 'securityContext', 'privileged') === true)
      faults.push(
        `.containers[${index}].privileged: Invalid value: true: Privileged containers are not allowed`,
      );
    if (at(container, 'securityContext', 'allowPrivilegeEscalation') === true)
      faults.push(
        `.containers[${index}].allowPrivilegeEscalation: Invalid value: true: Allowing privilege escalation for containers is not allowed`,
      );
    for (const added of listAt(container, 'securityContext', 'capabilities', 'add')) {
      if (added !== 'NET_BIND_SERVICE')
        faults.push(
          `.containers[${index}].capabilities.add: Invalid value: ${JSON.stringify(added)}: capability may not be added`,
        );
    }
  }
  if (faults.length === 0) return undefined;
  const others = NOT_USABLE.map(
    (name) => `provider "${name}": Forbidden: not usable by user or serviceaccount`,
  );
  const [first = '', ...rest] = others;
  const own = faults.map((fault) => `provider restricted-v2: ${fault}`);
  return `unable to validate against any security context constraint: [${[first, ...own, ...rest].join(', ')}]`;
}

function hostRule(field: string): string {
  if (field === 'hostNetwork') return 'Host network is not allowed to be used';
  return field === 'hostPID' ? 'Host PID is not allowed to be used' : 'Host IPC is not allowed to be used';
}
