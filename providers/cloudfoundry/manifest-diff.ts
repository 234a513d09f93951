import { type ErrorClass, hasClass } from '../../src/core/errors.ts';
import type { PlanChange, PlanCheck, TargetSpec } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { instanceName } from './service-instances.ts';
import { type WantedRoute, wantedProcess } from './translate.ts';
import { type ManifestDifference, manifestDiffSchema } from './wire.ts';

const WHAT = 'the platform’s own comparison (manifest_diff)';

const DISPENSABLE: readonly ErrorClass[] = [
  ...(['forbidden', 'notFound', 'unsupported', 'invalid'] as const),
  ...(['unavailable', 'timeout', 'rateLimited'] as const),
];

/**
 * The platform compares by itself what we want with what it has. What it finds and our plan does not is somebody
 * else's, or a setting that we do not know of: it stays, and a person should hear of it. The environment is not sent:
 * its old values would come back.
 */
export async function manifestChecks(
  session: Session,
  want: TargetSpec,
  routes: readonly WantedRoute[],
  changes: readonly PlanChange[],
): Promise<readonly PlanCheck[]> {
  const path = `/v3/spaces/${await session.spaceGuid()}/manifest_diff`;
  try {
    const { diff } = await session.compare(path, manifestOf(want, routes), manifestDiffSchema);
    const unknown = diff.flatMap((one) => noticeOf(one, changes) ?? []);
    return unknown.length > 0 ? unknown : [{ what: WHAT, found: 'nothing that the plan does not say' }];
  } catch (error) {
    // Experimental, by its documentation: old foundations lack it, and nothing depends on it.
    if (hasClass(error, ...DISPENSABLE)) return [];
    throw error;
  }
}

/** What we want, in the words of a manifest; lists that we leave empty are ours to be empty. */
export function manifestOf(
  want: TargetSpec,
  routes: readonly WantedRoute[],
): Readonly<Record<string, unknown>> {
  const { command, memoryMb, check } = wantedProcess(want);
  const application = {
    name: want.application,
    instances: want.process.instances,
    memory: `${memoryMb}M`,
    ...(command === null ? {} : { command }),
    'health-check-type': check.type,
    ...(check.endpoint === null ? {} : { 'health-check-http-endpoint': check.endpoint }),
    ...(check.timeout === null ? {} : { timeout: check.timeout }),
    'readiness-health-check-type': 'process',
    routes: routes.map(({ url }) => ({ route: url })),
    services: (want.services ?? []).map((service) => instanceName(want.application, service)),
    sidecars: [],
  };
  return { applications: [application] };
}

/** The lines of our plan that say the same as a key of the manifest. */
const FIELD_OF: Readonly<Record<string, string>> = {
  instances: 'instances',
  memory: 'memory',
  command: 'command',
  timeout: 'health',
  'health-check-type': 'health',
  'health-check-http-endpoint': 'health',
};

/** Undefined: our plan says it too, or it comes with what is about to be done. */
export function noticeOf(
  { op, path, was, value }: ManifestDifference,
  changes: readonly PlanChange[],
): PlanCheck | undefined {
  const [, , , key = '', ...rest] = path.split('/');
  const has = (field: string): boolean =>
    changes.some((change) => change.field === field && change.action !== 'none');
  const field = FIELD_OF[key];
  if (field !== undefined && has(field)) return undefined;
  const name = nameIn(was) ?? nameIn(value);
  if (op === 'add' && key === 'routes' && name !== undefined && has(`route ${name}`)) return undefined;
  // Made and bound when the release is staged, or a setting that nobody has made there.
  if (op === 'add') return undefined;
  const what = name === undefined ? [key, ...rest].join('.') : `${SINGULAR[key] ?? key} ${name}`;
  const found =
    op === 'remove'
      ? 'is there, and not of this configuration; it stays'
      : `is ${shown(was)} there, where a release of ours would have ${shown(value)}; it stays`;
  return { what, found, notice: true };
}

const SINGULAR: Readonly<Record<string, string>> = {
  routes: 'route',
  services: 'service',
  sidecars: 'sidecar',
};

function nameIn(value: unknown): string | undefined {
  if (typeof value === 'string') return undefined;
  const { route, name } = (value ?? {}) as { readonly route?: unknown; readonly name?: unknown };
  const found = route ?? name;
  return typeof found === 'string' ? found : undefined;
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'something else';
}
