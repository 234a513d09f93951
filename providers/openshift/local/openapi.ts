import { groupNames, versionsOf } from './discovery.ts';
import type { JsonObject } from './json.ts';
import { openApiSchemas } from './openapi-schemas.ts';
import { groupVersion, type ResourceType } from './resources.ts';

/**
 * The least of OpenAPI v3 that kubectl asks for before it writes: whether PATCH of a kind takes `fieldValidation`.
 * What it says of the kinds themselves is for people; clients trust the server's own validation.
 */
export function openApiIndex(types: readonly ResourceType[]): JsonObject {
  const paths: JsonObject = { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1' } };
  for (const group of groupNames(types)) {
    for (const version of versionsOf(types, group)) {
      paths[`apis/${group}/${version}`] = { serverRelativeURL: `/openapi/v3/apis/${group}/${version}` };
    }
  }
  return { paths };
}

/** `prefix` is `api/v1` or `apis/{group}/{version}`. */
export function openApiDocument(all: readonly ResourceType[], prefix: string): JsonObject | undefined {
  const wanted = prefix.replace(/^apis?\//, '');
  const types = all.filter((type) => groupVersion(type) === wanted);
  if (types.length === 0) return undefined;
  const paths: JsonObject = {};
  for (const type of types) {
    const scope = type.namespaced ? '/namespaces/{namespace}' : '';
    paths[`/${prefix}${scope}/${type.plural}/{name}`] = {
      patch: {
        operationId: `patch${type.kind}`,
        parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
          name,
          in: 'query',
          schema: { type: 'string', uniqueItems: true },
        })),
        responses: { 200: { description: 'OK' } },
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': { group: type.group, version: type.version, kind: type.kind },
      },
    };
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.13' },
    paths,
    components: { schemas: openApiSchemas(types) },
  };
}
