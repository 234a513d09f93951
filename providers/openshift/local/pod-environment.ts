import type { Container, EnvVar, Pod } from './pod-types.ts';
import { CONFIG_MAPS, SECRETS } from './resources.ts';
import type { Store } from './store.ts';

export type Environment =
  | { readonly kind: 'resolved'; readonly values: Record<string, string> }
  /** CreateContainerConfigError, in the kubelet's words. */
  | { readonly kind: 'missing'; readonly message: string };

/** What a container gets to see: envFrom first, then env, with secrets and config maps looked up now. */
export function resolveEnvironment(store: Store, pod: Pod, container: Container): Environment {
  const namespace = pod.metadata.namespace ?? '';
  const values: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const ref = source.secretRef ?? source.configMapRef;
    if (!ref) continue;
    const kind = source.secretRef ? 'secret' : 'configmap';
    const data = dataOf(store, namespace, kind, ref.name);
    if (!data) {
      if (ref.optional) continue;
      return { kind: 'missing', message: `${kind} "${ref.name}" not found` };
    }
    for (const [key, value] of Object.entries(data)) values[`${source.prefix ?? ''}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const resolved = resolveVariable(store, pod, variable, values);
    if (resolved.kind === 'missing') return resolved;
    if (resolved.value !== undefined) values[variable.name] = resolved.value;
  }
  return { kind: 'resolved', values };
}

function resolveVariable(
  store: Store,
  pod: Pod,
  variable: EnvVar,
  known: Readonly<Record<string, string>>,
): { kind: 'value'; value: string | undefined } | { kind: 'missing'; message: string } {
  const from = variable.valueFrom;
  if (!from) return { kind: 'value', value: expand(variable.value ?? '', known) };
  if (from.fieldRef) return { kind: 'value', value: field(pod, from.fieldRef.fieldPath) };
  const ref = from.secretKeyRef ?? from.configMapKeyRef;
  if (!ref) return { kind: 'value', value: undefined };
  const kind = from.secretKeyRef ? 'secret' : 'configmap';
  const data = dataOf(store, pod.metadata.namespace ?? '', kind, ref.name);
  const value = data?.[ref.key];
  if (value !== undefined || ref.optional) return { kind: 'value', value };
  return {
    kind: 'missing',
    message: data
      ? `couldn't find key ${ref.key} in ${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${pod.metadata.namespace}/${ref.name}`
      : `${kind} "${ref.name}" not found`,
  };
}

export function dataOf(
  store: Store,
  namespace: string,
  kind: 'secret' | 'configmap',
  name: string,
): Record<string, string> | undefined {
  if (kind === 'configmap')
    return (
      store.get(CONFIG_MAPS, namespace, name)?.data ??
      (store.get(CONFIG_MAPS, namespace, name) ? {} : undefined)
    );
  const secret = store.get(SECRETS, namespace, name);
  if (!secret) return undefined;
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    data[key] = Buffer.from(value, 'base64').toString('utf8');
  }
  return data;
}

/** `$(NAME)` of what was defined before; `$$(NAME)` stays as `$(NAME)`, an unknown name as it is. */
export function expand(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$?\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (whole, name: string) =>
    whole.startsWith('$$') ? whole.slice(1) : (known[name] ?? whole),
  );
}

function field(pod: Pod, path: string): string | undefined {
  const label = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (label) return pod.metadata[label[1] === 'labels' ? 'labels' : 'annotations']?.[label[2] ?? ''];
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'status.podIP':
      return pod.status.podIP;
    case 'status.hostIP':
      return pod.status.hostIP;
    case 'spec.nodeName':
      return pod.spec.nodeName;
    default:
      return undefined;
  }
}
