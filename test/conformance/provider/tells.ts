import { describe, expect, it } from '@jest/globals';
import type { PlatformEvent } from '../../../src/core/platform-events.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { eventually, type Suite } from './suite.ts';

/** What the platform itself tells of an application; the cases build on each other. */
export function thatTells(suite: Suite): void {
  describe('a platform that tells what happens', () => {
    const app = suite.app('tells');
    const heard: PlatformEvent[] = [];
    let cursor: string | undefined;

    async function listen(): Promise<readonly PlatformEvent[]> {
      const query = { most: 100, since: 0, ...(cursor === undefined ? {} : { after: cursor }) };
      const page = await suite.drive.fresh().events!(suite.drive.context, app, query);
      cursor = page.cursor;
      heard.push(...page.events);
      return page.events;
    }

    it('tells nothing of what is not there', async () => {
      expect(await listen()).toEqual([]);
    });

    it('tells of a deployment, oldest first, with its own times', async () => {
      await suite.drive.deploy(suite.wish(app, 1), suite.ok);
      await eventually(async () => {
        await listen();
        expect(heard.length).toBeGreaterThan(0);
      });
      for (const { id, at, kind, text } of heard) {
        expect([id, kind, text].every((word) => word !== '' && !word.includes('\n'))).toBe(true);
        expect(Math.abs(at - systemClock.now())).toBeLessThan(120_000);
      }
      expect(heard.map(({ at }) => at)).toEqual(heard.map(({ at }) => at).sort((a, b) => a - b));
    });

    it('tells nothing twice, and what is new', async () => {
      await eventually(async () => expect(await listen()).toEqual([]));
      const before = heard.length;
      await suite.drive.succeed(suite.drive.fresh().scale(suite.drive.context, app, 1));
      await eventually(async () => {
        await listen();
        expect(heard.length).toBeGreaterThan(before);
      });
      expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length);
    });

    it('tells of a release that crashes', async () => {
      const bad = { ...suite.wish(app, 2), process: { ...suite.wish(app, 2).process, command: 'exit 7' } };
      const artifact = await suite.drive.stage(bad, suite.ok);
      await suite.drive.fail(suite.drive.fresh().apply(suite.drive.context, bad, artifact));
      await eventually(async () => {
        await listen();
        expect(heard.map(({ kind, text }) => `${kind} ${text}`).join('\n')).toMatch(/crash|BackOff|exited/i);
      });
      // Nothing of the environment is among it.
      expect(JSON.stringify(heard)).not.toContain('hello');
      await suite.destroy(app);
    });
  });
}
