import type { JsonObject } from './json.ts';
import { groupVersion, SECURITY_CONTEXT_CONSTRAINTS } from './resources.ts';
import type { KubeObject } from './types.ts';

interface Constraint {
  readonly user: 'RunAsAny' | 'MustRunAsRange' | 'MustRunAsNonRoot';
  readonly groups?: readonly string[];
  readonly host?: readonly ('DirVolumePlugin' | 'IPC' | 'Network' | 'PID' | 'Ports')[];
  readonly isPrivileged?: boolean;
  readonly escalates?: boolean;
  readonly drops?: readonly string[];
  readonly priority?: number;
}

const V2: Pick<Constraint, 'escalates' | 'drops'> = { escalates: false, drops: ['ALL'] };
const V1: Pick<Constraint, 'drops'> = { drops: ['KILL', 'MKNOD', 'SETUID', 'SETGID'] };

/** Those that a new cluster has. What they say is enforced for `restricted-v2` only: nobody here may use another. */
const CONSTRAINTS: Readonly<Record<string, Constraint>> = {
  anyuid: { user: 'RunAsAny', groups: ['system:cluster-admins'], drops: ['MKNOD'], priority: 10 },
  hostaccess: { user: 'MustRunAsRange', host: ['DirVolumePlugin', 'IPC', 'Network', 'PID', 'Ports'], ...V1 },
  'hostmount-anyuid': { user: 'RunAsAny', host: ['DirVolumePlugin'], drops: ['MKNOD'] },
  hostnetwork: { user: 'MustRunAsRange', host: ['Network', 'Ports'], ...V1 },
  'hostnetwork-v2': { user: 'MustRunAsRange', host: ['Network', 'Ports'], ...V2 },
  nonroot: { user: 'MustRunAsNonRoot', ...V1 },
  'nonroot-v2': { user: 'MustRunAsNonRoot', ...V2 },
  privileged: {
    user: 'RunAsAny',
    groups: ['system:cluster-admins', 'system:nodes', 'system:masters'],
    host: ['DirVolumePlugin', 'IPC', 'Network', 'PID', 'Ports'],
    isPrivileged: true,
  },
  restricted: { user: 'MustRunAsRange', ...V1 },
  'restricted-v2': { user: 'MustRunAsRange', groups: ['system:authenticated'], ...V2 },
};

export function securityConstraints(): readonly KubeObject[] {
  return Object.entries(CONSTRAINTS).map(([name, constraint]) => ({
    kind: SECURITY_CONTEXT_CONSTRAINTS.kind,
    apiVersion: groupVersion(SECURITY_CONTEXT_CONSTRAINTS),
    metadata: { name },
    ...fieldsOf(constraint),
  }));
}

function fieldsOf({ user, groups = [], host = [], isPrivileged = false, ...rest }: Constraint): JsonObject {
  const ofHost = (what: NonNullable<Constraint['host']>[number]): boolean => host.includes(what);
  const mine = user === 'RunAsAny' ? 'RunAsAny' : 'MustRunAs';
  return {
    allowHostDirVolumePlugin: ofHost('DirVolumePlugin'),
    allowHostIPC: ofHost('IPC'),
    allowHostNetwork: ofHost('Network'),
    allowHostPID: ofHost('PID'),
    allowHostPorts: ofHost('Ports'),
    allowPrivilegeEscalation: rest.escalates ?? true,
    allowPrivilegedContainer: isPrivileged,
    allowedCapabilities: isPrivileged ? ['*'] : rest.escalates === false ? ['NET_BIND_SERVICE'] : null,
    defaultAddCapabilities: null,
    fsGroup: { type: mine },
    groups: [...groups],
    priority: rest.priority ?? null,
    readOnlyRootFilesystem: false,
    requiredDropCapabilities: rest.drops === undefined ? null : [...rest.drops],
    runAsUser: { type: user },
    seLinuxContext: { type: isPrivileged ? 'RunAsAny' : 'MustRunAs' },
    supplementalGroups: { type: 'RunAsAny' },
    users: [],
    volumes: isPrivileged
      ? ['*']
      : [
          'configMap',
          'csi',
          'downwardAPI',
          'emptyDir',
          'ephemeral',
          'persistentVolumeClaim',
          'projected',
          'secret',
        ],
  };
}
