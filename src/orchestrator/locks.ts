import type { KnownLock } from '../core/control.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { KnownLease, StateStore } from '../core/ports.ts';

/** Who is changing which application now, by their leases. */
export async function locksIn(store: StateStore): Promise<readonly KnownLock[]> {
  return (await store.leases()).flatMap((lease) => lockOf(lease) ?? []);
}

/** Takes the deployment's lock away. A promotion's stays: it runs once for each epoch, whoever waits. */
export async function breakLockOf(
  store: StateStore,
  application: ApplicationName,
): Promise<KnownLock | undefined> {
  const held = (await locksIn(store)).find(
    (lock) => lock.application === application && lock.what === 'deploy',
  );
  if (held === undefined) return undefined;
  return (await store.breakLease(`deploy-${application}`)) === undefined ? undefined : held;
}

function lockOf({ lease, holder, expiresAt }: KnownLease): KnownLock | undefined {
  const [, what, application] = /^(deploy|writer|task)-(.+)$/.exec(lease) ?? [];
  if (application === undefined) return undefined;
  const { id, reason, since } = holder;
  const kind = what === 'writer' || what === 'task' ? what : 'deploy';
  return { application, what: kind, holder: id, reason, since, expiresAt };
}
