import { groupNames } from './discovery.ts';
import type { JsonObject } from './json.ts';
import { groupVersion, RESOURCES } from './resources.ts';

/**
 * The least of OpenAPI v3 that kubectl asks for before it writes: whether PATCH of a kind takes `fieldValidation`.
 * There are no schemas in it; clients then trust the server's own validation.
 */
export function openApiIndex(): JsonObject {
  const paths: JsonObject = { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1' } };
  for (const group of groupNames()) {
    paths[`apis/${group}/v1`] = { serverRelativeURL: `/openapi/v3/apis/${group}/v1` };
  }
  return { paths };
}

/** `prefix` is `api/v1` or `apis/{group}/v1`. */
export function openApiDocument(prefix: string): JsonObject | undefined {
  const wanted = prefix.replace(/^apis?\//, '');
  const types = RESOURCES.filter((type) => groupVersion(type) === wanted);
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
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.32.13' }, paths };
}
