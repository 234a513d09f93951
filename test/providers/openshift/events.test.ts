import { describe, expect, it } from '@jest/globals';
import { events, ownerTest } from '../../../providers/openshift/events.ts';
import type { Site } from '../../../providers/openshift/site.ts';
import { type Happening, happeningSchema } from '../../../providers/openshift/wire.ts';

const context = { signal: new AbortController().signal, now: () => 0, log() {} };

function happening(more: object): Happening {
  return happeningSchema.parse({
    metadata: { name: 'shop.1', uid: 'u-1' },
    involvedObject: { kind: 'Pod', name: 'shop-88dc746fd-dbdmr' },
    reason: 'BackOff',
    message: 'Back-off restarting failed container',
    type: 'Warning',
    ...more,
  });
}

function siteOf(list: readonly Happening[]): Site {
  const client = { list: async (resource: { kind: string }) => (resource.kind === 'Event' ? list : []) };
  // Only what it asks of it.
  return { platform: 'ocp', client } as unknown as Site;
}

async function read(list: readonly Happening[], after?: string, since = 0) {
  return events(siteOf(list), context, 'shop', {
    most: 10,
    since,
    ...(after === undefined ? {} : { after }),
  });
}

describe('events of a cluster', () => {
  it('are taken by whatever stamp their sender filled in', async () => {
    const at = '2026-11-20T20:36:38Z';
    for (const stamp of [
      { lastTimestamp: at, eventTime: null },
      { lastTimestamp: null, eventTime: '2026-11-20T20:36:38.000000Z' },
      { eventTime: '2026-11-20T20:00:00Z', series: { count: 2, lastObservedTime: at } },
      { metadata: { name: 'shop.1', uid: 'u-1', creationTimestamp: at } },
    ]) {
      const [event] = (await read([happening(stamp)])).events;
      expect(event?.at).toBe(Date.parse(at));
    }
  });

  it('are told again when they happened twice as often, not each time', async () => {
    const counts: (number | undefined)[] = [];
    let cursor: string | undefined;
    for (let count = 1; count <= 9; count++) {
      const page = await read([happening({ count, lastTimestamp: '2026-11-20T20:36:38Z' })], cursor);
      cursor = page.cursor;
      counts.push(...page.events.map((event) => event.count));
    }
    expect(counts).toEqual([undefined, 2, 4, 8]);
  });

  it('from before the first look stay untold, until they happen again', async () => {
    const since = Date.parse('2026-11-20T20:40:00Z');
    const old = await read(
      [happening({ count: 4, lastTimestamp: '2026-11-20T20:36:38Z' })],
      undefined,
      since,
    );
    expect(old.events).toEqual([]);
    const again = [happening({ count: 8, lastTimestamp: '2026-11-20T20:41:00Z' })];
    expect((await read(again, old.cursor)).events).toMatchObject([{ count: 8, kind: 'BackOff' }]);
  });

  it('are one short line each', async () => {
    const [event] = (await read([happening({ message: `first\nsecond ${'x'.repeat(1_000)}` })])).events;
    expect(event?.text).toMatch(/^warning, Pod shop-88dc746fd-dbdmr: first second x+…$/);
    expect(event?.text.length).toBe(300);
  });
});

describe('whose an event is', () => {
  const isOurs = ownerTest('shop', ['shop', 'shop-worker']);

  it.each([
    'shop',
    'shop-88dc746fd',
    'shop-88dc746fd-dbdmr',
    'shop-worker-6c7f8d9b5-x2k4z',
    'shop-r-0123456789-1-build',
    'shop--r-0123456789-88dc746fd-dbdmr',
  ])('is told by its name: %s is ours', (name) => expect(isOurs(name, 'Pod')).toBe(true));

  it.each(['shop-admin', 'shop-admin-88dc746fd-dbdmr', 'shopping-88dc746fd-dbdmr', 'other'])(
    'and %s is not',
    (name) => expect(isOurs(name, 'Pod')).toBe(false),
  );

  it('takes no application for ours that is called as if it was made up for us', () => {
    expect(isOurs('shop-db', 'Deployment')).toBe(false);
    expect(isOurs('shop-worker', 'Deployment')).toBe(true);
    expect(isOurs('shop--r-0123456789', 'Deployment')).toBe(true);
  });
});
