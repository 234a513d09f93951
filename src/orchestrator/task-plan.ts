import type { PlatformPlan } from '../core/deployment.ts';
import type { PlanChange } from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { placesOf } from './release-tasks.ts';
import type { TaskRecords } from './task-records.ts';

/** The plans with the tasks that would run first, each where it is to. Where nothing changes nothing runs. */
export async function withTasks(
  records: Pick<TaskRecords, 'ofRelease'>,
  application: ApplicationSettings,
  release: Release,
  plans: readonly PlatformPlan[],
): Promise<readonly PlatformPlan[]> {
  const changing = plans.filter(({ changes }) => changes.some(({ action }) => isChange(action)));
  if (changing.length === 0) return plans;
  const more = new Map<string, PlanChange[]>();
  for (const task of application.tasks ?? []) {
    if (task.when !== 'release') continue;
    const before = await records.ofRelease(application.name, release.id, task.name);
    if (before?.state === 'succeeded') continue;
    const places = before?.state === 'begun' ? [before.platform] : placesOf(task, application);
    const place = places.find((platform) => changing.some((plan) => plan.platform === platform));
    if (place === undefined) continue;
    const kind = task.class === undefined ? '' : ` (${task.class})`;
    const line: PlanChange = {
      ...{ action: 'create', field: `task ${task.name}`, to: `run once: ${task.command}${kind}` },
      destructive: task.class === 'contract',
    };
    more.set(place, [...(more.get(place) ?? []), line]);
  }
  return plans.map((plan) => ({ ...plan, changes: [...(more.get(plan.platform) ?? []), ...plan.changes] }));
}

function isChange(action: PlanChange['action']): boolean {
  return action === 'create' || action === 'change';
}
