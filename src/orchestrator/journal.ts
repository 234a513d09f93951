import type { DeploymentRecord, DeploymentTarget, Together } from '../core/deployment.ts';
import type { DeploymentId, PlatformName } from '../core/ids.ts';
import type { StateStore } from '../core/ports.ts';

/** Deployments as they go: what is written here survives us, so it is written before it is relied on. */
export interface Journal {
  begin(record: DeploymentRecord): Promise<void>;
  get(id: DeploymentId): Promise<DeploymentRecord | undefined>;
  /** Oldest first. */
  list(): Promise<readonly DeploymentRecord[]>;
  /** Changes one platform's part. Parts of one deployment are written one after the other. */
  target(
    id: DeploymentId,
    platform: PlatformName,
    change: Partial<DeploymentTarget>,
  ): Promise<DeploymentTarget>;
  /** Puts one platform's part to what is given, with nothing left of what was there. */
  replace(id: DeploymentId, platform: PlatformName, target: DeploymentTarget): Promise<void>;
  /** How far all platforms have come in step. */
  together(id: DeploymentId, together: Together): Promise<void>;
  /** It goes on: the end it had before is none any more. */
  reopen(id: DeploymentId): Promise<void>;
  forget(id: DeploymentId): Promise<void>;
  finish(
    id: DeploymentId,
    outcome: NonNullable<DeploymentRecord['outcome']>,
    at: number,
  ): Promise<DeploymentRecord>;
}

export function journalIn(store: StateStore): Journal {
  let writing: Promise<unknown> = Promise.resolve();

  async function get(id: DeploymentId): Promise<DeploymentRecord | undefined> {
    return (await store.get('deployments', id)) as DeploymentRecord | undefined;
  }

  function update(
    id: DeploymentId,
    change: (record: DeploymentRecord) => DeploymentRecord,
  ): Promise<DeploymentRecord> {
    const write = writing.then(async () => {
      const record = await get(id);
      if (!record) throw new Error(`the journal has no deployment ${id}`);
      const changed = change(record);
      await store.put('deployments', id, changed);
      return changed;
    });
    writing = write.catch(() => undefined);
    return write;
  }

  return {
    get,
    begin: (record) => store.put('deployments', record.id, record),
    async list() {
      const records: DeploymentRecord[] = [];
      for (const key of await store.keys('deployments')) {
        const record = await get(key);
        if (record) records.push(record);
      }
      return records.sort((a, b) => a.startedAt - b.startedAt);
    },
    async target(id, platform, change) {
      const record = await update(id, (old) => {
        const target = { ...old.targets[platform]!, ...change };
        return { ...old, targets: { ...old.targets, [platform]: target } };
      });
      return record.targets[platform]!;
    },
    async replace(id, platform, target) {
      await update(id, (old) => ({ ...old, targets: { ...old.targets, [platform]: target } }));
    },
    async together(id, together) {
      await update(id, (old) => ({ ...old, together }));
    },
    async reopen(id) {
      await update(id, ({ outcome: _outcome, finishedAt: _finishedAt, ...open }) => open);
    },
    forget: (id) => store.delete('deployments', id),
    finish: (id, outcome, at) => update(id, (old) => ({ ...old, outcome, finishedAt: at })),
  };
}
