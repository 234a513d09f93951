import { describe, expect, it } from '@jest/globals';
import type { Lease, StateStore } from '../../src/core/ports.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { leaseApplication } from '../../src/orchestrator/lease.ts';
import { memoryStore } from '../../src/state/memory-store.ts';

const HOLDER = { id: 'us', reason: 'a test', since: 0 };

function storeWith(renew: Lease['renew'], isHeld: Lease['isHeld'] = async () => true): StateStore {
  const lease: Lease = { held: true, token: 1, renew, isHeld, release: async () => undefined };
  return { ...memoryStore(virtualClock()), acquire: async () => lease };
}

async function pass(clock: ReturnType<typeof virtualClock>, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1_000);
    await new Promise((next) => setImmediate(next));
  }
}

describe('a lease', () => {
  it('is valid as long as it is renewed', async () => {
    const clock = virtualClock();
    const lease = await leaseApplication(
      storeWith(async () => true),
      clock,
      'shop',
      HOLDER,
    );
    await pass(clock, 120);
    expect(lease.valid()).toBe(true);
    await lease.release();
  });

  it('outlives a renewal that cannot be written, and ends when none could for as long as it lasts', async () => {
    const clock = virtualClock();
    const lease = await leaseApplication(
      storeWith(async () => {
        throw new Error('ENOSPC');
      }),
      clock,
      'shop',
      HOLDER,
    );
    await pass(clock, 15);
    expect(lease.valid()).toBe(true);
    await pass(clock, 16);
    expect(lease.valid()).toBe(false);
    await lease.release();
  });

  it('that somebody has broken is no longer valid at the next look', async () => {
    const lease = await leaseApplication(
      storeWith(
        async () => true,
        async () => false,
      ),
      virtualClock(),
      'shop',
      HOLDER,
    );
    expect(lease.valid()).toBe(true);
    expect(await lease.confirm()).toBe(false);
    expect(lease.valid()).toBe(false);
    await lease.release();
  });
});
