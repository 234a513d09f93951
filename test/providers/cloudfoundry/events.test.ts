import { describe, expect, it } from '@jest/globals';
import type { Session } from '../../../providers/cloudfoundry/client.ts';
import { events } from '../../../providers/cloudfoundry/events.ts';

interface Row {
  readonly guid: string;
  readonly created_at: string;
  readonly type: string;
  readonly data?: unknown;
}

const APP = {
  guid: 'app-1',
  name: 'shop',
  state: 'STARTED',
  metadata: { labels: { 'sluice.dev/managed-by': 'sluice' } },
};

function sessionOf(
  rows: readonly Row[],
  asked: Record<string, string>[] = [],
  apps: readonly object[] = [APP],
) {
  const session = {
    platform: 'cf',
    spaceGuid: async () => 'space-1',
    list: async () => apps,
    async find(_path: string, schema: { parse(value: unknown): unknown }, query: Record<string, string>) {
      asked.push(query);
      const from = query['created_ats[gte]'] ?? '';
      return schema.parse({ resources: rows.filter((row) => row.created_at >= from) });
    },
  };
  // Only what it asks of it.
  return session as unknown as Session;
}

function row(guid: string, created_at: string, more: Partial<Row> = {}): Row {
  return { guid, created_at, type: 'audit.app.start', ...more };
}

describe('audit events', () => {
  it('of one second are not lost to those who asked in the middle of it, and come once', async () => {
    const first = await events(sessionOf([row('1', '2026-11-20T20:36:38Z')]), 'shop', { most: 10, since: 0 });
    expect(first.events.map(({ id }) => id)).toEqual(['1']);
    const later = [row('1', '2026-11-20T20:36:38Z'), row('2', '2026-11-20T20:36:38Z')];
    const second = await events(sessionOf(later), 'shop', { most: 10, after: first.cursor });
    expect(second.events.map(({ id }) => id)).toEqual(['2']);
    const third = await events(sessionOf(later), 'shop', { most: 10, after: second.cursor });
    expect(third.events).toEqual([]);
  });

  it('are asked for by type: our own reads of the environment are some, too, and a crash comes twice', async () => {
    const asked: Record<string, string>[] = [];
    await events(sessionOf([], asked), 'shop', { most: 10, since: 0 });
    const types = asked[0]?.['types']?.split(',') ?? [];
    expect(types).toContain('audit.app.process.crash');
    expect(types).not.toContain('app.crash');
    expect(types.filter((type) => type.includes('environment'))).toEqual([]);
    expect(asked[0]).toMatchObject({ target_guids: 'app-1', order_by: '-created_at' });
  });

  it('say why an instance crashed, and nothing of what a request held', async () => {
    const data = {
      index: 1,
      reason: 'CRASHED',
      exit_description: 'APP/PROC/WEB: Exited with status 7',
      crash_count: 3,
    };
    const crash = row('1', '2026-11-20T20:36:38Z', { type: 'audit.app.process.crash', data });
    const update = row('2', '2026-11-20T20:36:39Z', {
      type: 'audit.app.update',
      data: { request: { environment_variables: { KEY: 'hunter2' } } },
    });
    const page = await events(sessionOf([crash, update]), 'shop', { most: 10, since: 0 });
    expect(page.events[0]).toMatchObject({
      text: 'process crash, instance 1, APP/PROC/WEB: Exited with status 7',
      count: 3,
    });
    expect(JSON.stringify(page)).not.toContain('hunter2');
  });

  it('are looked for anew after the application was deleted and made again', async () => {
    const gone = row('1', '2026-11-20T20:36:38Z', { type: 'audit.app.delete-request' });
    const first = await events(sessionOf([gone]), 'shop', { most: 10, since: 0 });
    expect(JSON.parse(first.cursor)).not.toHaveProperty('app');
    const nothing = await events(sessionOf([], [], []), 'shop', { most: 10, after: first.cursor });
    const asked: Record<string, string>[] = [];
    await events(sessionOf([], asked, [{ ...APP, guid: 'app-2' }]), 'shop', {
      most: 10,
      after: nothing.cursor,
    });
    expect(asked[0]).toMatchObject({ target_guids: 'app-2' });
  });
});
