import type { JsonObject } from './json.ts';
import { groupVersion, PROJECT_REQUESTS, PROJECTS, RESOURCES, type ResourceType } from './resources.ts';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

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

export function groupNames(): string[] {
  return [...new Set(RESOURCES.map((type) => type.group))].filter((group) => group !== '');
}

/** `/apis` */
export function groupList(): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames().map(groupEntry) };
}

/** `/apis/{group}`; undefined for a group we do not serve. */
export function group(name: string): JsonObject | undefined {
  return groupNames().includes(name)
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(name) }
    : undefined;
}

function groupEntry(name: string): JsonObject {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
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
export function resourceList(groupName: string, version: string): JsonObject | undefined {
  const types = RESOURCES.filter((type) => type.group === groupName && type.version === version);
  const [first] = types;
  if (!first) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion(first),
    resources: types.flatMap((type) => [resourceEntry(type), ...subresourceEntries(type)]),
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

function verbsOf(type: ResourceType): string[] {
  if (type.plural.startsWith('selfsubject')) return ['create'];
  if (type.plural === PROJECT_REQUESTS.plural) return ['create', 'list'];
  if (type.plural === PROJECTS.plural) return ALL_VERBS.filter((verb) => verb !== 'deletecollection');
  return type.readOnly ? ['get', 'list'] : ALL_VERBS;
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
