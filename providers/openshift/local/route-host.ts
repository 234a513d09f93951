import { isObject, textAt } from './json.ts';
import type { KubeObject } from './types.ts';

const HOST_GENERATED = 'openshift.io/host.generated';

/** A route without host gets one on creation, and keeps what it has when an update leaves it out. */
export function admitRoute(draft: KubeObject, before: KubeObject | undefined, appsDomain: string): void {
  const spec = draft['spec'];
  if (!isObject(spec)) return;
  if (textAt(spec, 'host')) return;
  if (before) {
    const kept = textAt(before, 'spec', 'host');
    if (kept) spec['host'] = kept;
    return;
  }
  // With a subdomain it is the router that says the host, in status.
  if (textAt(spec, 'subdomain')) return;
  spec['host'] = `${draft.metadata.name}-${draft.metadata.namespace}.${appsDomain}`;
  draft.metadata.annotations = { ...draft.metadata.annotations, [HOST_GENERATED]: 'true' };
}
