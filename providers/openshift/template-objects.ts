import { serviceVariables } from '../../src/core/services.ts';
import type { Manifest } from './client.ts';
import { evaluateTemplate } from './json-path.ts';
import { serviceLabels } from './names.ts';
import { ownEnvironment } from './translate.ts';
import type { AnyObject } from './wire.ts';

/** Pure: what came out of a template, as we apply it, wait for it, and read what it hands out. */

const EXPOSED = 'template.openshift.io/expose-';
const EXPOSED_BASE64 = 'template.openshift.io/base64-expose-';

/** Ours by our labels; pods too, so that nobody takes them for strangers that use a volume of ours. */
export function stamped(object: AnyObject, application: string, service: string): Manifest {
  const labels = serviceLabels(application, service);
  const { namespace: _ours, ...metadata } = object.metadata;
  const spec = object['spec'];
  const template = isMap(spec) && isMap(spec['template']) ? spec['template'] : undefined;
  return {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, ...labels } },
    ...(template === undefined
      ? {}
      : { spec: { ...(spec as object), template: labelledPods(template, labels) } }),
  };
}

function labelledPods(template: Readonly<Record<string, unknown>>, labels: object): object {
  const metadata = isMap(template['metadata']) ? template['metadata'] : {};
  const own = isMap(metadata['labels']) ? metadata['labels'] : {};
  return { ...template, metadata: { ...metadata, labels: { ...own, ...labels } } };
}

/** Undefined: it is ready. Kinds that have no such state are as soon as they are there. */
export function waitsFor(object: AnyObject): string | undefined {
  const spec = isMap(object['spec']) ? object['spec'] : {};
  const status = isMap(object['status']) ? object['status'] : {};
  switch (object.kind) {
    case 'Deployment':
    case 'DeploymentConfig':
    case 'StatefulSet': {
      const wanted = typeof spec['replicas'] === 'number' ? spec['replicas'] : 1;
      const ready = typeof status['readyReplicas'] === 'number' ? status['readyReplicas'] : 0;
      return ready >= wanted ? undefined : `${ready} of ${wanted} pods are ready`;
    }
    case 'Job':
      return typeof status['succeeded'] === 'number' && status['succeeded'] > 0 ? undefined : 'it still runs';
    default:
      return undefined;
  }
}

/**
 * As the authors of templates say it, by annotations made for service brokers; where they say nothing, all that is in
 * the Secrets.
 */
export function handedOutBy(
  service: string,
  objects: readonly AnyObject[],
): Readonly<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const object of objects) {
    for (const [annotation, expression] of Object.entries(object.metadata.annotations)) {
      const base64 = annotation.startsWith(EXPOSED_BASE64);
      if (!base64 && !annotation.startsWith(EXPOSED)) continue;
      const value = evaluateTemplate(expression, decoded(object));
      if (value === undefined) continue;
      const key = annotation.slice((base64 ? EXPOSED_BASE64 : EXPOSED).length);
      said[key] = base64 ? Buffer.from(value).toString('base64') : value;
    }
  }
  if (Object.keys(said).length > 0) return serviceVariables(service, said);
  return Object.assign({}, ...secretsIn(objects).map((data) => serviceVariables(service, data)));
}

/** A Secret's data travels as base64; what is handed out is what it means. */
function decoded(object: AnyObject): unknown {
  return object.kind === 'Secret' ? { ...object, data: dataOf(object) } : object;
}

function secretsIn(objects: readonly AnyObject[]): readonly Record<string, string>[] {
  return objects.filter(({ kind }) => kind === 'Secret').map(dataOf);
}

function dataOf(object: AnyObject): Record<string, string> {
  const data = isMap(object['data']) ? object['data'] : {};
  return ownEnvironment(
    Object.fromEntries(
      Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
