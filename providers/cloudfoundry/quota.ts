import { hasClass, platformError, toWire } from '../../src/core/errors.ts';
import type { Observation, PlanCheck, TargetSpec } from '../../src/core/provider.ts';
import { maxInFlight } from './apply.ts';
import type { Session } from './client.ts';
import { wantedProcess } from './translate.ts';
import { type Quota, type QuotaOwner, quotaOwnerSchema, quotaSchema, usageSchema } from './wire.ts';

/** What a deployment uses beside what is used already, at its highest. */
interface Need {
  readonly memoryMb: number;
  readonly instances: number;
}

interface Limits {
  /** `space dev`, `organization shop`. */
  readonly owner: string;
  readonly quota: Quota;
  readonly used: { readonly memory_in_mb: number; readonly started_instances: number };
}

/** The quotas of space and organization against what the deployment needs; those we may not read are left out. */
export async function quotaChecks(
  session: Session,
  names: { readonly org: string; readonly space: string },
  want: TargetSpec,
  seen: Observation,
  memoryNowMb: number | undefined,
): Promise<readonly PlanCheck[]> {
  const space = `/v3/spaces/${await session.spaceGuid()}`;
  const found = await session.get(space, quotaOwnerSchema);
  const org = `/v3/organizations/${found.relationships.organization?.data?.guid ?? ''}`;
  const need = needOf(want, seen, memoryNowMb);
  const limits = await Promise.all([
    limitsOf(session, space, async () => found, 'space_quotas', `space ${names.space}`),
    limitsOf(
      session,
      org,
      () => session.get(org, quotaOwnerSchema),
      'organization_quotas',
      `organization ${names.org}`,
    ),
  ]);
  const perInstance = wantedProcess(want).memoryMb;
  return limits.flatMap((one) => (one ? checksOf(session.platform, one, need, perInstance) : []));
}

async function limitsOf(
  session: Session,
  owner: string,
  read: () => Promise<QuotaOwner>,
  kind: 'space_quotas' | 'organization_quotas',
  name: string,
): Promise<Limits | undefined> {
  try {
    const { relationships } = await read();
    const guid = relationships.quota?.data?.guid;
    if (guid === undefined) return undefined;
    const [quota, { usage_summary: used }] = await Promise.all([
      session.get(`/v3/${kind}/${guid}`, quotaSchema),
      session.get(`${owner}/usage_summary`, usageSchema),
    ]);
    return { owner: name, quota, used };
  } catch (error) {
    // Not every role may read them, and old foundations do not have them all.
    if (hasClass(error, 'forbidden', 'notFound', 'unsupported', 'invalid')) return undefined;
    throw error;
  }
}

/** A rolling deployment adds a wave before it takes any away; what grows stays. Pure. */
export function needOf(want: TargetSpec, seen: Observation, memoryNowMb: number | undefined): Need {
  const { instances } = want.process;
  const { memoryMb } = wantedProcess(want);
  const now = seen.desired;
  const grown = { instances: instances - now, memoryMb: instances * memoryMb - now * (memoryNowMb ?? 0) };
  if (now === 0) return { instances, memoryMb: instances * memoryMb };
  const isRolled = seen.serving !== want.release.id || memoryNowMb !== memoryMb;
  const wave = isRolled ? maxInFlight(now) : 0;
  return {
    instances: Math.max(0, wave, grown.instances),
    memoryMb: Math.max(0, wave * memoryMb, grown.memoryMb),
  };
}

function checksOf(
  platform: string,
  { owner, quota, used }: Limits,
  need: Need,
  perInstanceMb: number,
): readonly PlanCheck[] {
  const { total_memory_in_mb, total_instances, per_process_memory_in_mb } = quota.apps;
  return [
    check('memory', need.memoryMb, used.memory_in_mb, total_memory_in_mb, 'Mi'),
    check('instances', need.instances, used.started_instances, total_instances, ''),
    ...(per_process_memory_in_mb === null
      ? []
      : [check('memory of one instance', perInstanceMb, 0, per_process_memory_in_mb, 'Mi')]),
  ];

  function check(what: string, more: number, taken: number, limit: number | null, unit: string): PlanCheck {
    const left = limit === null ? Number.POSITIVE_INFINITY : limit - taken;
    const room = limit === null ? 'there is no limit' : `${left}${unit} of ${limit}${unit} are left`;
    const found = `needs ${more}${unit} more; ${room}`;
    const name = `${what} of ${owner}`;
    if (more <= left || more === 0) return { what: name, found };
    const error = platformError('quota', platform, `the quota of ${owner} does not allow it`, {
      why: `${found} (quota ${quota.name})`,
      remedy: 'free memory or instances there, use fewer or smaller instances, or ask for a larger quota',
    });
    return { what: name, found, error: toWire(error) };
  }
}
