import type { JsonObject } from './json.ts';
import { isKind, type ResourceType, ROUTES } from './resources.ts';
import { type FieldShape, knownTypes, shapeOf } from './schema.ts';

const SCHEMAS = '#/components/schemas/';
const TEXTS = new Set([
  'annotations',
  'data',
  'labels',
  'limits',
  'nodeSelector',
  'requests',
  'stringData',
  'hard',
]);
const LISTS = new Set(['args', 'command', 'accessModes', 'scopes']);
const SWITCHES = new Set([
  ...['paused', 'suspend', 'hostNetwork', 'hostPID', 'hostIPC', 'stdin', 'stdinOnce', 'tty', 'immutable'],
  ...[
    'automountServiceAccountToken',
    'enableServiceLinks',
    'shareProcessNamespace',
    'publishNotReadyAddresses',
  ],
]);
const OBJECTS =
  /^(status|selector|securityContext|affinity|metrics|behavior|from|source|revision|resources|lookupPolicy|to|valueFrom|exec|tcpSocket|grpc|dnsConfig|postStart|preStop|scaleTargetRef|defaultBackend|httpHeaders)$/;
const OBJECT_LISTS =
  /^(envFrom|volumes|volumeMounts|tolerations|imagePullSecrets|ownerReferences|managedFields|hostAliases|topologySpreadConstraints|rules|tls|tags|triggers|secrets)$/;
const NUMBERS =
  /(Seconds|Limit|Threshold|Port|Revision|Replicas|Completions|generation)$|^(replicas|port|weight|priority|parallelism|completions)$/;

/** What the kinds look like, as far as we know their fields: enough for `kubectl explain`. Types go by the fields' names. */
export function openApiSchemas(types: readonly ResourceType[]): JsonObject {
  const schemas: JsonObject = {};
  for (const name of knownTypes()) schemas[idOf(name)] = { type: 'object', properties: propertiesOf(name) };
  for (const type of types) {
    const { group, version, kind } = type;
    schemas[kindId(type)] = {
      type: 'object',
      description: describe(type),
      properties: {
        apiVersion: { type: 'string', description: 'The version of this kind.' },
        kind: { type: 'string', description: 'The name of this kind.' },
        metadata: reference('Metadata'),
        ...propertiesOf(kind),
      },
      'x-kubernetes-group-version-kind': [{ group, version, kind }],
    };
  }
  return schemas;
}

export function kindId({ group, version, kind }: ResourceType): string {
  return `local.${group === '' ? 'core' : group}.${version}.${kind}`;
}

function idOf(name: string): string {
  return `local.types.${name}`;
}

function propertiesOf(typeName: string): JsonObject {
  const fields = [...(shapeOf(typeName) ?? [])];
  return Object.fromEntries(fields.map(([name, shape]) => [name, propertyOf(name, shape)]));
}

function propertyOf(name: string, { type, list }: FieldShape): JsonObject {
  if (type !== undefined) return list ? { type: 'array', items: reference(type) } : reference(type);
  if (TEXTS.has(name)) return { type: 'object', additionalProperties: { type: 'string' } };
  if (LISTS.has(name)) return { type: 'array', items: { type: 'string' } };
  if (SWITCHES.has(name)) return { type: 'boolean' };
  if (OBJECT_LISTS.test(name)) return { type: 'array', items: { type: 'object' } };
  if (OBJECTS.test(name)) return { type: 'object' };
  return { type: NUMBERS.test(name) ? 'integer' : 'string' };
}

/** In a list of one, as the real documents do: beside a plain reference nothing else may stand. */
function reference(type: string): JsonObject {
  return { allOf: [{ $ref: `${SCHEMAS}${idOf(type)}` }], default: {} };
}

function describe(type: ResourceType): string {
  if (isKind(type, ROUTES)) return 'A Route leads a host name to a Service.';
  return `${type.kind}, as far as the local OpenShift knows it.`;
}
