import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Suite } from './suite.ts';

/** What holds on an empty platform. */
export function beforeAnything(suite: Suite): void {
  describe('before anything is deployed', () => {
    const nothing = suite.app('nothing');

    it('describes the endpoint', async () => {
      const provider = suite.drive.fresh();
      const info = await provider.describe(suite.drive.context);
      expect(info.kind).toBe(provider.kind);
      expect(provider.platform).toBe(suite.harness.platform);
      expect(info.apiVersion).not.toBe('');
      expect(info.identity).not.toBe('');
      // Who can run both at once can be asked to.
      expect(info.capabilities.sideBySide).toBe(provider.trial !== undefined);
    });

    it('observes nothing for an application it never saw', async () => {
      const seen = await suite.observe(nothing);
      expect(seen).toMatchObject({ exists: false, releases: [], instances: [], origins: [], desired: 0 });
      expect(seen.serving).toBeUndefined();
      expect(seen.foreign).toEqual([]);
    });

    it('plans to create it, and shows no value of its environment', async () => {
      const want = suite.wish(nothing, 1, { env: { API_KEY: 'planted-canary-value' } });
      const changes = await suite.drive.fresh().plan(suite.drive.context, want, await suite.observe(nothing));
      expect(changes.map((change) => change.action)).toContain('create');
      expect(JSON.stringify(changes)).not.toContain('planted-canary-value');
    });

    it('destroys and retires nothing successfully', async () => {
      await suite.destroy(nothing);
      await suite.drive.succeed(suite.drive.fresh().retire(suite.drive.context, nothing, 'r-0000000000'));
    });

    it('reports an address that does not answer as unavailable', async () => {
      const provider = suite.harness.unreachable();
      const error = await suite.drive.refusal(provider.describe(suite.drive.context));
      expect(['unavailable', 'timeout']).toContain(error.class);
      expect(error.details).toMatchObject({ where: suite.harness.platform });
      expect(error.details.remedy).toBeTruthy();
      await provider.close();
    });

    it('reports wrong credentials as such, at once, and each time', async () => {
      const provider = suite.harness.wrongCredentials?.();
      if (!provider) return suite.leaveOut();
      const began = systemClock.monotonic();
      for (const call of [
        provider.describe(suite.drive.context),
        provider.observe(suite.drive.context, nothing),
      ]) {
        const error = await suite.drive.refusal(call);
        expect(error.class).toBe('auth');
        expect(error.details.where).toBe(suite.harness.platform);
        expect(error.details.remedy).toContain(suite.harness.platform);
      }
      expect(systemClock.monotonic() - began).toBeLessThan(3_000);
      await provider.close();
    });
  });
}
