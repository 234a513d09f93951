import type { CloudBase } from './cloud.ts';
import { type CloudError, unprocessable } from './errors.ts';
import type { Limits } from './quota-state.ts';
import type { AppRow, CloudState, ProcessRow } from './state.ts';

/** What somebody wants more of. Numbers are what it will be charged besides what is charged already. */
export interface QuotaWish {
  readonly memoryMb?: number;
  readonly instances?: number;
  /** Of one process or task. */
  readonly processMemoryMb?: number;
}

/** Refuses what the organization's or the space's quota does not allow. */
export interface Quotas {
  check(spaceGuid: string, wish: QuotaWish, rolling?: boolean): void;
  checkStaging(spaceGuid: string, memoryMb: number): void;
  checkRoute(spaceGuid: string): void;
  checkServiceInstance(spaceGuid: string): void;
  checkServiceKey(spaceGuid: string): void;
  checkTask(app: AppRow): void;
}

export function createQuotas(cloud: CloudBase): Quotas {
  const { state } = cloud;

  /** The space's and the organization's, each with the spaces that it counts. */
  function applying(
    spaceGuid: string,
  ): readonly { kind: 'space' | 'org'; limits: Limits; spaces: Set<string> }[] {
    const space = state.spaces.get(spaceGuid);
    const organization = state.organizations.get(space?.organizationGuid ?? '');
    const own = state.spaceQuotas.get(space?.quotaGuid ?? '');
    const whole = state.organizationQuotas.get(organization?.quotaGuid ?? '');
    const siblings = [...state.spaces.values()].filter((one) => one.organizationGuid === organization?.guid);
    return [
      ...(own ? [{ kind: 'space' as const, limits: own.limits, spaces: new Set([spaceGuid]) }] : []),
      ...(whole
        ? [{ kind: 'org' as const, limits: whole.limits, spaces: new Set(siblings.map((one) => one.guid)) }]
        : []),
    ];
  }

  function nameOf(kind: 'space' | 'org', spaceGuid: string): string {
    const space = state.spaces.get(spaceGuid);
    return kind === 'space'
      ? (space?.name ?? '')
      : (state.organizations.get(space?.organizationGuid ?? '')?.name ?? '');
  }

  return {
    check(spaceGuid, wish, rolling = false) {
      for (const { kind, limits, spaces } of applying(spaceGuid)) {
        const used = startedUse(state, spaces);
        const suffix = rolling ? rollingHint(kind, nameOf(kind, spaceGuid)) : '';
        if (over(wish.processMemoryMb, limits.perProcessMemoryMb)) {
          throw exceeded(`memory ${kind === 'space' ? 'space_' : ''}instance_memory_limit_exceeded`, suffix);
        }
        if (over(used.memoryMb + (wish.memoryMb ?? 0), limits.totalMemoryMb) && (wish.memoryMb ?? 0) > 0) {
          throw exceeded(`memory ${kind === 'space' ? 'space_quota' : 'quota'}_exceeded`, suffix);
        }
        if (
          over(used.instances + (wish.instances ?? 0), limits.totalInstances) &&
          (wish.instances ?? 0) > 0
        ) {
          throw exceeded(
            kind === 'space'
              ? 'app_instance_limit space_app_instance_limit_exceeded'
              : 'app_instance_limit app_instance_limit_exceeded',
            suffix,
          );
        }
      }
    },
    checkStaging(spaceGuid, memoryMb) {
      for (const { kind, limits, spaces } of applying(spaceGuid)) {
        if (!over(startedUse(state, spaces).memoryMb + memoryMb, limits.totalMemoryMb)) continue;
        const whose = kind === 'space' ? 'space' : 'organization';
        throw unprocessable(`${whose}'s memory limit exceeded: staging requires ${memoryMb}M memory`);
      }
    },
    checkRoute(spaceGuid) {
      for (const { kind, limits, spaces } of applying(spaceGuid)) {
        const count = [...state.routes.values()].filter((route) => spaces.has(route.spaceGuid)).length;
        if (!over(count + 1, limits.totalRoutes)) continue;
        throw unprocessable(
          kind === 'space'
            ? `Routes quota exceeded for space '${nameOf(kind, spaceGuid)}'.`
            : `Routes quota exceeded for organization '${nameOf(kind, spaceGuid)}'.`,
        );
      }
    },
    checkServiceInstance(spaceGuid) {
      for (const { kind, limits, spaces } of applying(spaceGuid)) {
        const managed = [...state.serviceInstances.values()].filter(
          (one) => one.planGuid !== null && spaces.has(one.spaceGuid),
        );
        if (!over(managed.length + 1, limits.totalServiceInstances)) continue;
        throw unprocessable(
          `You have exceeded your ${kind === 'space' ? "space's" : "organization's"} services limit.`,
        );
      }
    },
    checkServiceKey(spaceGuid) {
      for (const { kind, limits, spaces } of applying(spaceGuid)) {
        const keys = [...state.serviceBindings.values()].filter(
          (one) =>
            one.type === 'key' && spaces.has(state.serviceInstances.get(one.instanceGuid)?.spaceGuid ?? ''),
        );
        if (!over(keys.length + 1, limits.totalServiceKeys)) continue;
        throw unprocessable(
          `You have exceeded your ${kind === 'space' ? "space's" : "organization's"} limit for service binding of type key.`,
        );
      }
    },
    checkTask(app) {
      for (const { limits } of applying(app.spaceGuid)) {
        const running = [...state.tasks.values()].filter(
          (task) => task.appGuid === app.guid && (task.state === 'RUNNING' || task.state === 'CANCELING'),
        );
        if (over(running.length + 1, limits.perAppTasks)) {
          throw unprocessable('app_task_limit quota_exceeded');
        }
      }
    },
  };
}

function exceeded(what: string, suffix: string): CloudError {
  return unprocessable(`${what}${suffix}`);
}

function over(value: number | undefined, limit: number | null): boolean {
  return value !== undefined && limit !== null && value > limit;
}

/** What the Cloud Controller adds when it was a deployment that asked. */
export function rollingHint(kind: 'space' | 'org', name: string): string {
  const what = kind === 'space' ? 'space' : 'organization';
  return ` for ${what} ${name}. This ${what}'s quota may not be large enough to support rolling deployments or your configured max-in-flight.`;
}

/** Only what is started is charged, and running tasks. */
export function startedUse(
  state: CloudState,
  spaces: ReadonlySet<string>,
): { readonly memoryMb: number; readonly instances: number } {
  let memoryMb = 0;
  let instances = 0;
  for (const process of state.processes.values()) {
    const app = state.apps.get(process.appGuid);
    if (app?.state !== 'STARTED' || !spaces.has(app.spaceGuid)) continue;
    instances += process.instances;
    memoryMb += process.instances * process.memoryMb;
  }
  for (const task of state.tasks.values()) {
    const ends = task.state === 'RUNNING' || task.state === 'CANCELING';
    if (ends && spaces.has(state.apps.get(task.appGuid)?.spaceGuid ?? '')) memoryMb += task.memoryMb;
  }
  return { memoryMb, instances };
}

/** What these processes cost when their app is started. */
export function demandOf(processes: readonly ProcessRow[]): QuotaWish {
  return {
    memoryMb: processes.reduce((sum, one) => sum + one.instances * one.memoryMb, 0),
    instances: processes.reduce((sum, one) => sum + one.instances, 0),
  };
}
