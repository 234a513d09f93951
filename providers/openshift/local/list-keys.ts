/**
 * Which lists are really maps, and by which keys: the part of the Kubernetes schema that patches and managed fields
 * need. A path holds field names, `*` for a list item.
 */
const KEYED: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  alternateBackends: ['kind', 'name'],
};

export function listKeys(path: readonly string[]): readonly string[] | undefined {
  const field = path.at(-1) ?? '';
  // The environment of a build is one value.
  if (field === 'env' && path.includes('strategy')) return undefined;
  if (field === 'ports') {
    // A container's ports go by containerPort, a service's by port.
    return path.includes('containers') ? ['containerPort', 'protocol'] : ['port', 'protocol'];
  }
  return KEYED[field];
}

/** Objects that are one value to managed fields: owned and replaced as a whole. */
const ATOMIC = new Set([
  'selector',
  'matchLabels',
  'secretKeyRef',
  'configMapKeyRef',
  'fieldRef',
  'nodeSelector',
]);

export function isAtomic(path: readonly string[]): boolean {
  const field = path.at(-1) ?? '';
  // References of a build, not the backend of a route.
  if (field === 'from') return path.includes('strategy');
  if (field === 'to') return path.includes('output');
  return ATOMIC.has(field);
}
