import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StateStore } from '../../src/core/ports.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';

const ANNA = { id: 'anna', reason: 'deploying r1', since: 0 };
const BERT = { id: 'bert', reason: 'deploying r2', since: 0 };

/** What every StateStore must do. */
export function stateStoreConformance(
  name: string,
  open: (clock: VirtualClock) => Promise<StateStore>,
): void {
  describe(`${name} as a state store`, () => {
    let clock: VirtualClock;
    let store: StateStore;

    beforeEach(async () => {
      clock = virtualClock(1_000);
      store = await open(clock);
    });
    afterEach(() => store.close());

    it('gives back what was put, and undefined for what was not', async () => {
      await store.put('releases', 'shop/r-1', { number: 1 });
      expect(await store.get('releases', 'shop/r-1')).toEqual({ number: 1 });
      expect(await store.get('releases', 'shop/r-2')).toBeUndefined();
    });

    it('lists keys in order, whatever characters they have', async () => {
      for (const key of ['b/2', 'a:1', '../c']) await store.put('releases', key, 1);
      expect(await store.keys('releases')).toEqual(['../c', 'a:1', 'b/2']);
      await store.delete('releases', 'a:1');
      expect(await store.keys('releases')).toEqual(['../c', 'b/2']);
    });

    it('gives a lease to one holder and tells the other who has it', async () => {
      expect(await store.acquire('deploy-shop', ANNA, 1_000)).toMatchObject({ held: true });
      expect(await store.acquire('deploy-shop', BERT, 1_000)).toEqual({
        held: false,
        holder: ANNA,
        expiresAt: 2_000,
      });
    });

    it('gives an expired lease to the next with a higher token, and the late holder cannot renew', async () => {
      const first = await store.acquire('deploy-shop', ANNA, 1_000);
      clock.advance(1_500);
      const second = await store.acquire('deploy-shop', BERT, 1_000);
      if (!first.held || !second.held) throw new Error('both should have held it');
      expect(second.token).toBeGreaterThan(first.token);
      expect(await first.renew()).toBe(false);
      await first.release();
      expect(await second.renew()).toBe(true);
    });

    it('frees a lease on release', async () => {
      const first = await store.acquire('deploy-shop', ANNA, 1_000);
      if (first.held) await first.release();
      expect(await store.acquire('deploy-shop', BERT, 1_000)).toMatchObject({ held: true });
    });

    it('tells which leases are held, and takes one from whoever has it', async () => {
      const lease = await store.acquire('deploy-shop', ANNA, 1_000);
      if (!lease.held) throw new Error('nobody else has it');
      expect(await lease.isHeld()).toBe(true);
      expect(await store.leases()).toEqual([{ lease: 'deploy-shop', holder: ANNA, expiresAt: 2_000 }]);
      expect(await store.breakLease('deploy-shop')).toEqual(ANNA);
      expect([await lease.isHeld(), await lease.renew()]).toEqual([false, false]);
      expect(await store.leases()).toEqual([]);
      const next = await store.acquire('deploy-shop', BERT, 1_000);
      // What the broken one lets go of is not the next one's.
      await lease.release();
      expect(next.held && (await next.isHeld())).toBe(true);
    });

    it('has no lease to tell of, or to break, that has expired', async () => {
      await store.acquire('deploy-shop', ANNA, 1_000);
      clock.advance(1_500);
      expect(await store.leases()).toEqual([]);
      expect(await store.breakLease('deploy-shop')).toBeUndefined();
      expect(await store.breakLease('deploy-nothing')).toBeUndefined();
    });
  });
}
