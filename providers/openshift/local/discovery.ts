import type { JsonObject } from './json.ts';
import { groupVersion, type ResourceType } from './resources.ts';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
/** Which version clients should use where a group has several. */
const PREFERRED: Readonly<Record<string, string>> = { autoscaling: 'v2' };

type Types = readonly ResourceType[];

export const VERSION: JsonObject = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.13',
  gitCommit: 'unknown',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'go1.23.5',
  compiler: 'gc',
  platform: 'linux/amd64',
};

export function groupNames(types: Types): string[] {
  return [...new Set(types.map((type) => type.group))].filter((group) => group !== '');
}

export function versionsOf(types: Types, group: string): string[] {
  return [...new Set(types.filter((type) => type.group === group).map((type) => type.version))];
}

/** `/apis` */
export function groupList(types: Types): JsonObject {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupNames(types).map((name) => groupEntry(types, name)),
  };
}

/** `/apis/{group}`; undefined for a group we do not serve. */
export function group(types: Types, name: string): JsonObject | undefined {
  return groupNames(types).includes(name)
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(types, name) }
    : undefined;
}

function groupEntry(types: Types, name: string): JsonObject {
  const versions = versionsOf(types, name).map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  const preferred = versions.find(({ version }) => version === PREFERRED[name]) ?? versions[0];
  return { name, versions, ...(preferred === undefined ? {} : { preferredVersion: preferred }) };
}

/** `/api` */
export function coreVersions(address: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

/** `/api/v1`, `/apis/{group}/{version}`; undefined when we serve nothing there. */
export function resourceList(types: Types, groupName: string, version: string): JsonObject | undefined {
  const found = types.filter((type) => type.group === groupName && type.version === version);
  const [first] = found;
  if (!first) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion(first),
    resources: found.flatMap((type) => [resourceEntry(type), ...subresourceEntries(type)]),
  };
}

function resourceEntry(type: ResourceType): JsonObject {
  return {
    name: type.plural,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: verbsOf(type),
    ...(type.shortNames.length === 0 ? {} : { shortNames: [...type.shortNames] }),
    ...(type.inAll ? { categories: ['all'] } : {}),
  };
}

export function verbsOf(type: ResourceType): string[] {
  if (type.verbs) return [...type.verbs];
  return type.readOnly ? ['get', 'list'] : [...ALL_VERBS];
}

function subresourceEntries(type: ResourceType): JsonObject[] {
  return type.subresources.map((sub) => ({
    name: `${type.plural}/${sub.name}`,
    singularName: '',
    namespaced: type.namespaced,
    ...(sub.group === undefined ? {} : { group: sub.group }),
    ...(sub.version === undefined ? {} : { version: sub.version }),
    kind: sub.kind,
    verbs: [...sub.verbs],
  }));
}
