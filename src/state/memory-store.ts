import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Lease, LeaseHolder, LeaseRefusal, StateStore } from '../core/ports.ts';

interface HeldLease {
  readonly holder: LeaseHolder;
  readonly token: number;
  expiresAt: number;
}

/** For tests only: forgets everything when the process ends. */
export function memoryStore(clock: Clock): StateStore {
  const collections = new Map<string, Map<string, string>>();
  const leases = new Map<string, HeldLease>();
  const folders = new Map<string, string>();
  let lastToken = 0;

  function collection(name: string): Map<string, string> {
    const found = collections.get(name) ?? new Map<string, string>();
    collections.set(name, found);
    return found;
  }

  return {
    async get(name, key) {
      const text = collection(name).get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async put(name, key, value) {
      collection(name).set(key, JSON.stringify(value));
    },
    async delete(name, key) {
      collection(name).delete(key);
    },
    async keys(name) {
      return [...collection(name).keys()].sort();
    },
    async folder(name) {
      const path = folders.get(name) ?? (await mkdtemp(join(tmpdir(), `sluice-${name}-`)));
      folders.set(name, path);
      return path;
    },
    async acquire(name, holder, ttlMs): Promise<Lease | LeaseRefusal> {
      const held = leases.get(name);
      if (held && held.expiresAt > clock.now() && held.holder.id !== holder.id) {
        return { held: false, holder: held.holder, expiresAt: held.expiresAt };
      }
      const token = ++lastToken;
      leases.set(name, { holder, token, expiresAt: clock.now() + ttlMs });
      const isOurs = (): boolean => leases.get(name)?.token === token;
      return {
        held: true,
        token,
        async isHeld() {
          return isOurs() && (leases.get(name)?.expiresAt ?? 0) > clock.now();
        },
        async renew() {
          const mine = leases.get(name);
          if (!mine || !isOurs() || mine.expiresAt <= clock.now()) return false;
          mine.expiresAt = clock.now() + ttlMs;
          return true;
        },
        async release() {
          if (isOurs()) leases.delete(name);
        },
      };
    },
    async leases() {
      return [...leases]
        .filter(([, { expiresAt }]) => expiresAt > clock.now())
        .map(([lease, { holder, expiresAt }]) => ({ lease, holder, expiresAt }))
        .sort((a, b) => (a.lease < b.lease ? -1 : 1));
    },
    async breakLease(name) {
      const held = leases.get(name);
      leases.delete(name);
      return held && held.expiresAt > clock.now() ? held.holder : undefined;
    },
    async close() {
      for (const path of folders.values()) await rm(path, { recursive: true, force: true });
      folders.clear();
    },
  };
}
