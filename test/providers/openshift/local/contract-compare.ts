/** What a comparison never looks at, because it is new in every cluster. The placeholder tells that something stood there. */
const VOLATILE: Readonly<Record<string, string>> = {
  uid: 'uid',
  storageVersionHash: 'hash',
  resourceVersion: 'version',
  token: 'token',
  continue: 'token',
  remainingItemCount: 'count',
  duration: 'count',
  podIP: 'address',
  hostIP: 'address',
  ip: 'address',
  clusterIP: 'address',
  clusterIPs: 'address',
  addresses: 'address',
  containerID: 'id',
  imageID: 'id',
  nodeName: 'node',
  gitCommit: 'commit',
  'pod-template-hash': 'hash',
  'endpoints.kubernetes.io/last-change-trigger-time': 'time',
};

/** Managers whose entries only the real cluster's own controllers write. */
const CONTROLLERS = new Set([
  'kube-controller-manager',
  'openshift-controller-manager',
  'openshift-apiserver',
  'openshift-router',
]);

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
/** The alphabet of generated names has no vowels: `app-7b8974d6b6-qd7m5`. */
const GENERATED = /-[bcdfghjklmnpqrstvwxz2456789]{8,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?(?![a-z0-9])/g;
const EVENT_NAME = /\.[0-9a-f]{13,16}[bcdfghjklmnpqrstvwxz2456789]{0,3}$/;

/** The same for two answers that say the same of different objects. */
export function normalised(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normalised(item));
    if (key === 'verbs') return items.sort();
    if (key === 'groups' || key === 'resources') return byName(items);
    // Lists are in order of names, and names are random.
    return key === 'items' || key === 'managedFields' || key === 'endpoints'
      ? items.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
      : VOLATILE[key] !== undefined
        ? `<${VOLATILE[key]}>`
        : items;
  }
  if (typeof value === 'object' && value !== null) return normalisedObject(value);
  if (value === null || value === '') return value;
  if (key === 'restartCount' && value !== 0) return '<count>';
  if (VOLATILE[key] !== undefined) return `<${VOLATILE[key]}>`;
  if (typeof value !== 'string') return value;
  if (TIME.test(value)) return '<time>';
  const text = value
    .replaceAll(/sha256:[0-9a-f]{32,64}/g, 'sha256:<digest>')
    .replaceAll(GENERATED, '-<generated>')
    .replace(/(too old resource version: \d+) \(\d+\)/, '$1 (<version>)');
  return key === 'name' ? text.replace(EVENT_NAME, '.<event>') : text;
}

function rank(item: unknown): string {
  const { spec, manager, operation, ...rest } = Object(item);
  return JSON.stringify([manager, operation, spec, rest]);
}

/** What is served is a set: in which order is the server's business. */
function byName(items: unknown[]): unknown {
  if (!items.every((item) => isObject(item) && 'name' in item)) return items;
  return Object.fromEntries(items.map((item) => [String(Reflect.get(Object(item), 'name')), item]));
}

function normalisedObject(value: object): unknown {
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const result: Record<string, unknown> = {};
  for (const [key, inner] of entries) {
    if (key === 'fieldsV1') result[key] = ownedFields(inner);
    else if (key === 'managedFields' && Array.isArray(inner)) {
      const clients = inner.filter((entry) => !CONTROLLERS.has(entry.manager) && !isKubelet(entry));
      if (clients.length > 0) result[key] = normalised(clients, key);
    } else result[key] = normalised(inner, key);
  }
  const { generateName, name } = result;
  if (typeof generateName === 'string' && typeof name === 'string')
    result['name'] = `${generateName}<suffix>`;
  return result;
}

/** The recording kubelet named itself as the recording client did; only a kubelet writes a pod's status. */
function isKubelet(entry: { readonly subresource?: string; readonly fieldsV1?: object }): boolean {
  return entry.subresource === 'status' && JSON.stringify(entry.fieldsV1).includes('f:podIP');
}

/** Whether a map itself is owned besides its fields (`.`) is a matter of Go types, and nobody conflicts over it. */
function ownedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key !== '.') result[key.replaceAll(/"uid":"[^"]+"/g, '"uid":"<uid>"')] = ownedFields(inner);
  }
  return result;
}

/** `- .a.b value` for what only the recording has, `+` for what only ours has, `~` where the values differ. */
export function differences(recorded: unknown, ours: unknown, path = ''): string[] {
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    const found: string[] = [];
    for (let index = 0; index < Math.max(recorded.length, ours.length); index++) {
      found.push(...member(recorded, ours, index, `${path}[${index}]`));
    }
    return found;
  }
  if (isObject(recorded) && isObject(ours)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(ours)]);
    return [...keys].flatMap((key) => member(recorded, ours, key, `${path}.${key}`));
  }
  return recorded === ours ? [] : [`~ ${path} ${shown(recorded)} is ${shown(ours)}`];
}

function member(recorded: object, ours: object, key: string | number, path: string): string[] {
  const theirs: unknown = Reflect.get(recorded, key);
  const mine: unknown = Reflect.get(ours, key);
  if (mine === undefined) return [`- ${path} ${shown(theirs)}`];
  if (theirs === undefined) return [`+ ${path} ${shown(mine)}`];
  return differences(theirs, mine, path);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
