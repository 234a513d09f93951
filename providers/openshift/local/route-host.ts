import type { Cause } from './errors.ts';
import { isObject, textAt } from './json.ts';
import type { KubeObject } from './types.ts';

const HOST_GENERATED = 'openshift.io/host.generated';
const SECRETS_OF_TLS = ['certificate', 'key', 'caCertificate', 'destinationCACertificate'];

/** A new route without host gets one. With a subdomain it is the router that says the host, in status. */
export function generateHost(draft: KubeObject, appsDomain: string): void {
  const spec = draft['spec'];
  if (!isObject(spec) || textAt(spec, 'host') || textAt(spec, 'subdomain')) return;
  spec['host'] = `${draft.metadata.name}-${draft.metadata.namespace}.${appsDomain}`;
  draft.metadata.annotations = { ...draft.metadata.annotations, [HOST_GENERATED]: 'true' };
}

/** A route keeps its host when an update leaves it out. */
export function keepHost(draft: KubeObject, before: KubeObject): void {
  const kept = textAt(before, 'spec', 'host');
  const spec = draft['spec'];
  if (kept && isObject(spec) && !textAt(spec, 'host')) spec['host'] = kept;
}

/** What of a route only those may set who have the right to `routes/custom-host`. */
export function customHostCauses(
  draft: KubeObject,
  before: KubeObject | undefined,
  may: { readonly create: boolean; readonly update: boolean },
): Cause[] {
  const host = textAt(draft, 'spec', 'host') ?? '';
  const denied = 'you do not have permission to set the host field of the route';
  const causes: Cause[] = [];
  if (!before && host !== '' && !may.create) {
    causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${denied}`, field: 'spec.host' });
  }
  if (before && host !== (textAt(before, 'spec', 'host') ?? '') && !may.update) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(host)}: ${denied}`,
      field: 'spec.host',
    });
  }
  const isChanged = SECRETS_OF_TLS.some(
    (field) => textAt(draft, 'spec', 'tls', field) !== textAt(before, 'spec', 'tls', field),
  );
  if (isChanged && !(before ? may.update : may.create)) {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: you do not have permission to set certificate fields on the route',
      field: 'spec.tls',
    });
  }
  return causes;
}
