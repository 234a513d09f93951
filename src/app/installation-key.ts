import { randomBytes } from 'node:crypto';
import type { StateStore } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';

/** A random key, made once per installation and kept in the state folder, which only its owner may read. */
export async function installationKey(store: StateStore, name: string): Promise<string> {
  const kept = await store.get('keys', name);
  if (typeof kept === 'string') return kept;
  const made = randomBytes(32).toString('hex');
  await store.put('keys', name, made);
  return made;
}

/** Routes with affinity need a key that all workers and the next start have too, when the file gives none. */
export function lacksAffinityKey({ gateway, applications }: Settings): boolean {
  if (gateway.affinityKey !== undefined) return false;
  return Object.values(applications).some(({ routes }) => routes.some(({ affinity }) => affinity === true));
}

export async function withAffinityKey(settings: Settings, store: StateStore): Promise<Settings> {
  if (!lacksAffinityKey(settings)) return settings;
  const affinityKey = await installationKey(store, 'affinity');
  return { ...settings, gateway: { ...settings.gateway, affinityKey } };
}
