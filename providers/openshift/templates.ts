import { hasClass, platformError, SluiceError } from '../../src/core/errors.ts';
import type { OperationStatus, ProviderContext } from '../../src/core/provider.ts';
import type { MadeService } from '../../src/core/service-power.ts';
import type { ServiceSource, ServiceSpec } from '../../src/core/services.ts';
import type { Manifest } from './client.ts';
import { isServiceOf, SERVICE_NAME, selector, serviceLabels, TEMPLATE } from './names.ts';
import { type Resource, SECRET } from './resources.ts';
import { foreignError, type Site } from './site.ts';
import { failed } from './status.ts';
import { handedOutBy, stamped, waitsFor } from './template-objects.ts';
import { ownEnvironment } from './translate.ts';
import {
  type AnyObject,
  anyObjectSchema,
  apiResourcesSchema,
  openShiftTemplateSchema,
  type Secret,
  statusSchema,
} from './wire.ts';

const LONGEST_MS = 30 * 60_000;
const OBJECTS = 'objects';

type TemplateSource = Extract<ServiceSource, { how: 'template' }>;
type Reference = Pick<AnyObject, 'apiVersion' | 'kind'> & { readonly name: string };

export function templatesIn(
  services: readonly ServiceSpec[],
): readonly { readonly service: string; readonly source: TemplateSource }[] {
  return services.flatMap(({ name, source }) =>
    source.how === 'template' ? [{ service: name, source }] : [],
  );
}

/**
 * A template is filled in once: passwords are made up anew each time. What came out is kept in a Secret before anything is
 * created of it, so that whoever comes after a crash creates the rest of the same.
 */
export async function ensureTemplate(
  site: Site,
  application: string,
  service: string,
  source: TemplateSource,
  signal: AbortSignal,
): Promise<void> {
  const record = await recordOf(site, application, service, signal);
  const objects =
    record === undefined ? await fillIn(site, application, service, source, signal) : objectsIn(record);
  for (const object of objects) {
    const { name } = object.metadata;
    const resource = await resourceOf(site, object, signal);
    const there = await site.client.get(resource, name, signal);
    if (there !== undefined && !isServiceOf(there.metadata, application))
      throw foreignError(site, [`${object.kind} ${name}`]);
    if (there === undefined)
      await site.client.apply(resource, stamped(object, application, service), false, signal);
  }
}

async function fillIn(
  site: Site,
  application: string,
  service: string,
  { name, namespace = site.options.namespace, parameters }: TemplateSource,
  signal: AbortSignal,
): Promise<readonly AnyObject[]> {
  const template = await readTemplate(site, name, namespace, signal);
  const known = template.parameters.map((one) => one.name);
  const unknown = Object.keys(parameters).filter((one) => !known.includes(one));
  if (unknown.length > 0) {
    throw platformError('invalid', site.platform, `template ${name} has no parameter ${unknown.join(', ')}`, {
      why: `it has ${known.join(', ') || 'none'}`,
      remedy: `correct \`parameters\` of ${service}`,
    });
  }
  const filled = {
    ...template,
    metadata: { name },
    parameters: template.parameters.map((one) => ({
      ...one,
      ...(parameters[one.name] === undefined ? {} : { value: parameters[one.name] }),
    })),
  };
  const path = `/apis/template.openshift.io/v1/namespaces/${site.options.namespace}/processedtemplates`;
  const { objects } = await site.client.review(path, filled, openShiftTemplateSchema, signal);
  await keep(site, application, service, objects, signal);
  return objects;
}

async function readTemplate(site: Site, name: string, namespace: string, signal: AbortSignal) {
  const path = `/apis/template.openshift.io/v1/namespaces/${namespace}/templates/${encodeURIComponent(name)}`;
  try {
    const found = await site.client.read(path, openShiftTemplateSchema.or(statusSchema), signal);
    if (found.kind !== 'Status') return openShiftTemplateSchema.parse(found);
  } catch (error) {
    if (!hasClass(error, 'unsupported')) throw error;
    throw platformError('unsupported', site.platform, 'this cluster has no templates', {
      why: SluiceError.from(error).details.why ?? 'it does not serve template.openshift.io',
      remedy: 'give the `credentials`, or an `existing` Secret',
    });
  }
  throw platformError('notFound', site.platform, `there is no template ${name}`, {
    why: `namespace ${namespace} has none of that name that this account may read`,
    remedy: 'choose one of `oc get templates -n openshift`, and name its `namespace`',
  });
}

async function keep(
  site: Site,
  application: string,
  service: string,
  objects: readonly AnyObject[],
  signal: AbortSignal,
): Promise<void> {
  const elsewhere = objects.find(
    ({ metadata: { namespace } }) => namespace !== undefined && namespace !== site.options.namespace,
  );
  if (elsewhere !== undefined) {
    throw platformError(
      'invalid',
      site.platform,
      `the template of ${service} reaches into another namespace`,
      {
        why: `${elsewhere.kind} ${elsewhere.metadata.name} is for ${elsewhere.metadata.namespace}`,
        remedy: 'use a template that stays in its namespace',
      },
    );
  }
  const manifest: Manifest = {
    apiVersion: SECRET.apiVersion,
    kind: SECRET.kind,
    metadata: {
      name: recordName(application, service),
      labels: { ...serviceLabels(application, service), [TEMPLATE]: 'filled-in' },
    },
    type: 'Opaque',
    data: { [OBJECTS]: Buffer.from(JSON.stringify(objects)).toString('base64') },
  };
  // Without force: who was quicker has made up other passwords, and those count.
  await site.client.apply(SECRET, manifest, false, signal);
}

function recordName(application: string, service: string): string {
  return `${application}-${service}-template`;
}

async function recordOf(
  site: Site,
  application: string,
  service: string,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const name = recordName(application, service);
  const found = await site.client.get(SECRET, name, signal);
  if (found !== undefined && !isServiceOf(found.metadata, application))
    throw foreignError(site, [`Secret ${name}`]);
  return found;
}

function objectsIn(record: Secret): readonly AnyObject[] {
  return anyObjectSchema.array().parse(JSON.parse(ownEnvironment(record.data)[OBJECTS] ?? '[]'));
}

/** Undefined: all of it is ready. */
export async function pollTemplate(
  site: Site,
  context: ProviderContext,
  application: string,
  service: string,
  startedAt: number,
): Promise<OperationStatus | undefined> {
  const { signal } = context;
  const record = await recordOf(site, application, service, signal);
  if (record === undefined) return { state: 'lost', message: `what the template of ${service} made is gone` };
  for (const { kind, metadata, apiVersion } of objectsIn(record)) {
    const there = await site.client.get(
      await resourceOf(site, { apiVersion, kind }, signal),
      metadata.name,
      signal,
    );
    const why = there === undefined ? 'it is not there' : waitsFor({ ...there, kind, apiVersion });
    if (why === undefined) continue;
    const message = `${service}: ${kind} ${metadata.name}: ${why}`;
    if (context.now() - startedAt < LONGEST_MS) return { state: 'running', message, retryAfterMs: 1_000 };
    return failed('timeout', site, `${service} is not ready after ${LONGEST_MS / 60_000} min`, {
      ...{ why: message, remedy: '`oc get pods`, `oc get events`; then deploy again' },
    });
  }
  return undefined;
}

/** Undefined where the template was not filled in yet. */
export async function templateHandsOut(
  site: Site,
  application: string,
  service: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const record = await recordOf(site, application, service, signal);
  if (record === undefined) return undefined;
  const found: AnyObject[] = [];
  for (const { kind, apiVersion, metadata } of objectsIn(record)) {
    const there = await site.client.get(
      await resourceOf(site, { apiVersion, kind }, signal),
      metadata.name,
      signal,
    );
    if (there !== undefined) found.push({ ...there, kind, apiVersion });
  }
  return handedOutBy(service, found);
}

export async function madeByTemplates(
  site: Site,
  application: string,
  signal: AbortSignal,
): Promise<readonly MadeService[]> {
  const records = await recordsOf(site, application, signal);
  return records.map((record) => {
    const names = objectsIn(record).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    return { service: record.metadata.labels[SERVICE_NAME] ?? '', what: names.join(', '), usedBy: [] };
  });
}

function recordsOf(site: Site, application: string, signal: AbortSignal): Promise<readonly Secret[]> {
  return site.client.list(SECRET, `${selector(serviceLabels(application))},${TEMPLATE}`, signal);
}

/** How many things there still are. The record goes last: without it nobody knows what there was. */
export async function removeTemplates(site: Site, application: string, signal: AbortSignal): Promise<number> {
  let left = 0;
  for (const record of await recordsOf(site, application, signal)) {
    let ofThis = 0;
    for (const { kind, apiVersion, metadata } of [...objectsIn(record)].reverse()) {
      const resource = await resourceOf(site, { apiVersion, kind }, signal);
      const there = await site.client.get(resource, metadata.name, signal);
      if (there === undefined || !isServiceOf(there.metadata, application)) continue;
      ofThis++;
      if (there.metadata.deletionTimestamp === undefined)
        await site.client.remove(resource, metadata.name, signal);
    }
    if (ofThis === 0) await site.client.remove(SECRET, record.metadata.name, signal);
    left += Math.max(1, ofThis);
  }
  return left;
}

/** By discovery: a template may hold any kind there is. */
async function resourceOf(
  site: Site,
  { apiVersion, kind }: Omit<Reference, 'name'>,
  signal: AbortSignal,
): Promise<Resource<AnyObject>> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { resources } = await site.client.read(root, apiResourcesSchema, signal);
  const found = resources.find(
    (one) => one.kind === kind && !one.name.includes('/') && one.verbs.includes('get'),
  );
  if (found?.namespaced === true) return { apiVersion, kind, plural: found.name, schema: anyObjectSchema };
  throw platformError('unsupported', site.platform, `the template holds a ${kind}, which cannot be made`, {
    why: found === undefined ? `${apiVersion} has no such kind` : 'it belongs to no namespace',
    remedy: 'use another template',
  });
}
