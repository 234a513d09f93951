import { humanDuration } from '../human-duration.ts';
import { at, type Json, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import { type ResourceType, ROUTES } from '../resources.ts';
import type { KubeObject } from '../types.ts';
import type { ApiRequest } from './http.ts';

/** `now` is epoch milliseconds: ages are told, not times. */
type Column = readonly [name: string, cell: (object: KubeObject, now: number) => Json, jsonPath?: string];

const NAME: Column = ['Name', (object) => object.metadata.name];
const AGE: Column = ['Age', (object, now) => age(object.metadata.creationTimestamp, now)];

/** What `kubectl get` prints of each kind, as the server decides. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  deployments: [
    NAME,
    ['Ready', (o) => `${count(o, 'status', 'readyReplicas')}/${count(o, 'spec', 'replicas')}`],
    ['Up-to-date', (o) => count(o, 'status', 'updatedReplicas')],
    ['Available', (o) => count(o, 'status', 'availableReplicas')],
    AGE,
  ],
  replicasets: [
    NAME,
    ['Desired', (o) => count(o, 'spec', 'replicas')],
    ['Current', (o) => count(o, 'status', 'replicas')],
    ['Ready', (o) => count(o, 'status', 'readyReplicas')],
    AGE,
  ],
  pods: [
    NAME,
    ['Ready', readyContainers],
    ['Status', podStatus],
    [
      'Restarts',
      (o) =>
        listAt(o, 'status', 'containerStatuses').reduce<number>(
          (sum, status) => sum + count(status, 'restartCount'),
          0,
        ),
    ],
    AGE,
  ],
  services: [
    NAME,
    ['Type', (o) => textAt(o, 'spec', 'type') ?? ''],
    ['Cluster-IP', (o) => textAt(o, 'spec', 'clusterIP') ?? ''],
    [
      'Port(s)',
      (o) =>
        listAt(o, 'spec', 'ports')
          .map((port) => `${at(port, 'port')}/${at(port, 'protocol')}`)
          .join(','),
    ],
    AGE,
  ],
  routes: [
    NAME,
    ['Host/Port', (o) => textAt(o, 'spec', 'host') ?? ''],
    ['Path', (o) => textAt(o, 'spec', 'path') ?? ''],
    ['Services', (o) => textAt(o, 'spec', 'to', 'name') ?? ''],
    ['Port', (o) => at(o, 'spec', 'port', 'targetPort') ?? '<all>'],
    ['Termination', (o) => textAt(o, 'spec', 'tls', 'termination') ?? ''],
    ['Wildcard', (o) => textAt(o, 'spec', 'wildcardPolicy') ?? 'None'],
  ],
  secrets: [
    NAME,
    ['Type', (o) => textAt(o, 'type') ?? ''],
    ['Data', (o) => Object.keys(at(o, 'data') ?? {}).length],
    AGE,
  ],
  jobs: [
    NAME,
    ['Status', jobStatus],
    ['Completions', (o) => `${count(o, 'status', 'succeeded')}/${count(o, 'spec', 'completions')}`],
    ['Duration', jobDuration],
    AGE,
  ],
  cronjobs: [
    NAME,
    ['Schedule', (o) => textAt(o, 'spec', 'schedule') ?? ''],
    ['Timezone', (o) => textAt(o, 'spec', 'timeZone') ?? '<none>'],
    ['Suspend', (o) => (at(o, 'spec', 'suspend') === true ? 'True' : 'False')],
    ['Active', (o) => listAt(o, 'status', 'active').length],
    ['Last Schedule', (o, now) => age(textAt(o, 'status', 'lastScheduleTime') ?? null, now, '<none>')],
    AGE,
  ],
  templates: [
    NAME,
    ['Description', (o) => textAt(o, 'metadata', 'annotations', 'description') ?? ''],
    ['Parameters', templateParameters],
    ['Objects', (o) => listAt(o, 'objects').length],
  ],
  persistentvolumeclaims: [
    NAME,
    ['Status', (o) => textAt(o, 'status', 'phase') ?? ''],
    ['Volume', (o) => textAt(o, 'spec', 'volumeName') ?? ''],
    ['Capacity', (o) => textAt(o, 'status', 'capacity', 'storage') ?? ''],
    ['Access Modes', (o) => listAt(o, 'spec', 'accessModes').join(',')],
    ['StorageClass', (o) => textAt(o, 'spec', 'storageClassName') ?? ''],
    AGE,
  ],
  horizontalpodautoscalers: [
    NAME,
    [
      'Reference',
      (o) => `${textAt(o, 'spec', 'scaleTargetRef', 'kind')}/${textAt(o, 'spec', 'scaleTargetRef', 'name')}`,
    ],
    ['MinPods', (o) => at(o, 'spec', 'minReplicas') ?? 1],
    ['MaxPods', (o) => at(o, 'spec', 'maxReplicas') ?? 0],
    ['Replicas', (o) => count(o, 'status', 'currentReplicas')],
    AGE,
  ],
  resourcequotas: [NAME, ['Hard', (o) => used(o)], AGE],
  ingresses: [
    NAME,
    ['Class', (o) => textAt(o, 'spec', 'ingressClassName') ?? '<none>'],
    [
      'Hosts',
      (o) =>
        listAt(o, 'spec', 'rules')
          .map((rule) => textAt(rule, 'host') ?? '*')
          .join(','),
    ],
    ['Address', (o) => textAt(listAt(o, 'status', 'loadBalancer', 'ingress')[0], 'hostname') ?? ''],
    AGE,
  ],
  configmaps: [NAME, ['Data', (o) => Object.keys(at(o, 'data') ?? {}).length], AGE],
  builds: [
    NAME,
    ['Type', (o) => textAt(o, 'spec', 'strategy', 'type') ?? ''],
    ['From', () => 'Binary'],
    ['Status', (o) => textAt(o, 'status', 'phase') ?? ''],
    ['Started', (o) => textAt(o, 'status', 'startTimestamp') ?? ''],
  ],
  imagestreams: [
    NAME,
    ['Image Repository', (o) => textAt(o, 'status', 'dockerImageRepository') ?? ''],
    [
      'Tags',
      (o) =>
        listAt(o, 'status', 'tags')
          .map((tag) => textAt(tag, 'tag') ?? '')
          .join(','),
    ],
  ],
  events: [
    ['Last Seen', (o, now) => age(textAt(o, 'lastTimestamp'), now)],
    ['Type', (o) => textAt(o, 'type') ?? ''],
    ['Reason', (o) => textAt(o, 'reason') ?? ''],
    [
      'Object',
      (o) =>
        `${(textAt(o, 'involvedObject', 'kind') ?? '').toLowerCase()}/${textAt(o, 'involvedObject', 'name')}`,
    ],
    ['Message', (o) => textAt(o, 'message') ?? ''],
  ],
  projects: [
    NAME,
    ['Display Name', (o) => textAt(o, 'metadata', 'annotations', 'openshift.io/display-name') ?? ''],
    ['Status', (o) => textAt(o, 'status', 'phase') ?? ''],
  ],
};

/** What the Route's custom resource definition prints; each column is a path into the object. */
const CUSTOM_ROUTE: readonly Column[] = [
  NAME,
  ['Host', (o) => at(firstIngress(o), 'host') ?? null, '.status.ingress[0].host'],
  [
    'Admitted',
    (o) =>
      at(
        listAt(firstIngress(o), 'conditions').find((found) => at(found, 'type') === 'Admitted'),
        'status',
      ) ?? null,
    '.status.ingress[0].conditions[?(@.type=="Admitted")].status',
  ],
  ['Service', (o) => at(o, 'spec', 'to', 'name') ?? null, '.spec.to.name'],
  ['TLS', (o) => at(o, 'spec', 'tls', 'type') ?? null, '.spec.tls.type'],
];

const NAME_TOLD =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

function firstIngress(route: KubeObject): Json | undefined {
  return listAt(route, 'status', 'ingress')[0];
}

function age(timestamp: string | null | undefined, now: number, none = '<unknown>'): string {
  return timestamp ? humanDuration(Math.max(0, now - Date.parse(timestamp))) : none;
}

function jobStatus(job: KubeObject): string {
  const ended = listAt(job, 'status', 'conditions')
    .map((condition) => textAt(condition, 'type'))
    .find((type) => type === 'Complete' || type === 'Failed');
  return ended ?? (at(job, 'spec', 'suspend') === true ? 'Suspended' : 'Running');
}

function jobDuration(job: KubeObject, now: number): string {
  const from = textAt(job, 'status', 'startTime');
  const to = textAt(job, 'status', 'completionTime');
  return from ? humanDuration(Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from))) : '';
}

function used(quota: KubeObject): string {
  return Object.entries(objectAt(quota, 'status', 'used'))
    .map(([name, value]) => `${name}: ${value}/${textAt(quota, 'status', 'hard', name)}`)
    .join(', ');
}

function count(object: Json, ...path: readonly string[]): number {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : 0;
}

function readyContainers(pod: KubeObject): string {
  const statuses = listAt(pod, 'status', 'containerStatuses');
  const ready = statuses.filter((status) => at(status, 'ready') === true).length;
  return `${ready}/${listAt(pod, 'spec', 'containers').length}`;
}

function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  for (const status of listAt(pod, 'status', 'containerStatuses')) {
    const reason =
      textAt(status, 'state', 'waiting', 'reason') ?? textAt(status, 'state', 'terminated', 'reason');
    if (reason) return reason;
  }
  return textAt(pod, 'status', 'reason') ?? textAt(pod, 'status', 'phase') ?? 'Unknown';
}

export function wantsTable(request: ApiRequest): boolean {
  return (request.headers.accept ?? '').split(',').some((part) => part.includes('as=Table'));
}

export function asTable(
  type: ResourceType,
  objects: readonly KubeObject[],
  version: string | undefined,
  now: number,
  withColumns = true,
): JsonObject {
  const isCustomRoute = type.plural === ROUTES.plural && type.generation;
  const columns = isCustomRoute ? CUSTOM_ROUTE : (COLUMNS[type.plural] ?? [NAME, AGE]);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: version ?? '' },
    // A watch repeats them only in its first event.
    columnDefinitions: withColumns
      ? columns.map(([name, , path]) => ({
          name,
          type: 'string',
          format: name === 'Name' ? 'name' : '',
          description:
            name === 'Name'
              ? NAME_TOLD
              : path === undefined
                ? ''
                : `Custom resource definition column (in JSONPath format): ${path}`,
          priority: 0,
        }))
      : [],
    rows: objects.map((object) => ({
      cells: columns.map(([, cell]) => cell(object, now)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

/** Those that somebody has to give come first, then those that are made up. */
function templateParameters(template: KubeObject): string {
  const all = listAt(template, 'parameters');
  const unset = all.filter((one) => !textAt(one, 'value'));
  const generated = unset.filter((one) => textAt(one, 'generate')).length;
  const blank = unset.length - generated;
  if (blank > 0) return `${all.length} (${blank} blank)`;
  return generated > 0 ? `${all.length} (${generated} generated)` : `${all.length} (all set)`;
}
