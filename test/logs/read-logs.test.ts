import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError, type SluiceError } from '../../src/core/errors.ts';
import type { LogEntry, LogsWish } from '../../src/core/logs.ts';
import type { LogLine, LogsPage, LogsQuery, PlatformProvider } from '../../src/core/provider.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { createLogs } from '../../src/logs/read-logs.ts';
import { pass } from '../support/virtual-time.ts';

/** A platform that printed these lines; the cursor is how many were read. */
interface Printing {
  readonly name: string;
  printed: LogLine[];
  fails?: SluiceError | undefined;
  missed?: boolean;
  readonly queries: LogsQuery[];
}

let clock: VirtualClock;
let platforms: Printing[];
let reading: AbortController;

beforeEach(() => {
  clock = virtualClock(10_000);
  platforms = [];
  reading = new AbortController();
});
afterEach(() => reading.abort());

function platform(name: string, ...printed: LogLine[]): Printing {
  const one: Printing = { name, printed, queries: [] };
  platforms.push(one);
  return one;
}

function line(at: number, text: string, more: Partial<LogLine> = {}): LogLine {
  return { at, source: 'app', text, ...more };
}

function providerOf(one: Printing): PlatformProvider {
  return {
    platform: one.name,
    async logs(_context: unknown, _application: string, query: LogsQuery): Promise<LogsPage> {
      one.queries.push(query);
      if (one.fails) throw one.fails;
      const from = query.after === undefined ? 0 : Number(query.after);
      const since = query.since ?? 0;
      const all = one.printed.slice(from).filter(({ at }) => query.after !== undefined || at >= since);
      const lines = query.after === undefined ? all.slice(-query.lines) : all;
      const missed = one.missed === true;
      one.missed = false;
      return { lines, cursor: String(one.printed.length), ...(missed ? { missed } : {}) };
    },
  } as unknown as PlatformProvider;
}

function open(wish: Partial<LogsWish> = {}): AsyncIterable<LogEntry> {
  const targets = [...platforms.map(({ name }) => ({ platform: name })), { platform: 'legacy' }];
  const logs = createLogs({
    settings: { applications: { shop: { name: 'shop', targets } } } as never,
    providers: new Map([
      ...platforms.map((one) => [one.name, providerOf(one)] as const),
      ['legacy', { platform: 'legacy' } as PlatformProvider] as const,
    ]),
    clock,
    redact: (text) => text.replaceAll('s3cret', '<redacted>'),
    numberOf: (_application, release) => (release === 'r-0000000001' ? 1 : undefined),
  });
  const all: LogsWish = {
    ...{ application: 'shop', platforms: undefined, sources: undefined, since: undefined },
    ...{ lines: 100, follow: false },
    ...wish,
  };
  return logs.logs(all, reading.signal);
}

async function all(entries: AsyncIterable<LogEntry>): Promise<LogEntry[]> {
  const found: LogEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

/** What is told so far of a stream that goes on. */
function following(entries: AsyncIterable<LogEntry>): readonly LogEntry[] {
  const found: LogEntry[] = [];
  void (async () => {
    for await (const entry of entries) found.push(entry);
  })();
  return found;
}

function texts(entries: readonly LogEntry[]): readonly string[] {
  return entries.map(({ platform: from = 'all', text }) => `${from}: ${text}`);
}

function away(name: string): SluiceError {
  return platformError('unavailable', name, 'the API does not answer');
}

describe('logs of the past', () => {
  it('are the newest of all platforms together, by time', async () => {
    platform('cf', line(1, 'a'), line(4, 'd'));
    platform('ocp', line(2, 'b'), line(3, 'c'));
    expect(texts(await all(open({ lines: 3 })))).toEqual(['ocp: b', 'ocp: c', 'cf: d']);
  });

  it('name the release as people say it, and hold no secret', async () => {
    platform('cf', line(1, 'token s3cret', { release: 'r-0000000001', instance: '0' }));
    const [entry] = await all(open());
    expect(entry).toMatchObject({ text: 'token <redacted>', number: 1, instance: '0' });
  });

  it('are of the wanted platforms, sources and time only', async () => {
    platform('cf', line(1, 'old'), line(5, 'x', { source: 'router' }), line(6, 'y'));
    const other = platform('ocp', line(6, 'z'));
    expect(texts(await all(open({ platforms: ['cf'], sources: ['app'], since: 5 })))).toEqual(['cf: y']);
    expect(other.queries).toEqual([]);
  });

  it('say which platform could not be read, and give the others', async () => {
    platform('cf', line(1, 'a'));
    platform('ocp').fails = away('ocp');
    const entries = await all(open());
    expect(texts(entries)).toEqual(['cf: a', 'ocp: cannot be read: the API does not answer']);
    expect(entries[1]).toMatchObject({ source: 'sluice', error: { code: 'PLATFORM_UNAVAILABLE' } });
  });

  it('are refused for platforms it does not run on, and where nothing shows logs', () => {
    platform('cf');
    expect(() => open({ platforms: ['elsewhere'] })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => open({ application: 'other' })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => open({ platforms: ['legacy'] })).toThrow(
      expect.objectContaining({ code: 'PLATFORM_UNSUPPORTED' }),
    );
  });
});

describe('following logs', () => {
  it('goes on as lines are printed, each once', async () => {
    const cf = platform('cf', line(9_000, 'before'));
    const told = following(open({ follow: true }));
    await pass(clock, 2_000, 50);
    cf.printed.push(line(12_000, 'now'), line(12_001, 'and now'));
    await pass(clock, 4_000, 50);
    expect(texts(told)).toEqual(['cf: before', 'cf: now', 'cf: and now']);
  });

  it('says once that a platform is away, and misses nothing of that time', async () => {
    const cf = platform('cf', line(9_000, 'before'));
    platform('ocp', line(9_500, 'there'));
    const told = following(open({ follow: true }));
    await pass(clock, 2_000, 50);
    cf.fails = away('cf');
    await pass(clock, 10_000, 100);
    cf.printed.push(line(15_000, 'meanwhile'));
    cf.fails = undefined;
    await pass(clock, 20_000, 100);
    expect(texts(told)).toEqual([
      'cf: before',
      'ocp: there',
      'cf: cannot be read: the API does not answer',
      'cf: meanwhile',
      expect.stringMatching(/^cf: can be read again, after \d+/),
    ]);
  });

  it('begins when a platform that was away at first answers', async () => {
    const cf = platform('cf', line(9_000, 'long ago'));
    cf.fails = away('cf');
    const told = following(open({ follow: true }));
    await pass(clock, 3_000, 50);
    cf.printed.push(line(12_000, 'first'));
    cf.fails = undefined;
    await pass(clock, 8_000, 50);
    expect(texts(told)).toContain('cf: first');
    expect(texts(told)).not.toContain('cf: long ago');
  });

  it('marks where a platform had forgotten lines', async () => {
    const cf = platform('cf', line(9_000, 'before'));
    const told = following(open({ follow: true }));
    await pass(clock, 3_000, 50);
    cf.missed = true;
    await pass(clock, 4_000, 50);
    expect(texts(told)).toContain('cf: lines are missing here: the platform had forgotten them');
  });

  it('tells a reader that is too slow how many it missed', async () => {
    const cf = platform('cf');
    const entries = open({ follow: true })[Symbol.asyncIterator]();
    const first = entries.next();
    cf.printed.push(line(10_000, 'first'));
    await pass(clock, 3_000, 50);
    expect((await first).value).toMatchObject({ text: 'first' });
    // Nobody takes what comes now.
    cf.printed.push(...Array.from({ length: 12_000 }, (_, i) => line(13_000 + i / 100, `${i}`)));
    await pass(clock, 5_000, 50);
    expect((await entries.next()).value).toMatchObject({
      source: 'sluice',
      text: '2000 lines are missing here: they came faster than they were read',
    });
    const oldest = entries.next();
    await pass(clock, 1_000, 50);
    expect((await oldest).value).toMatchObject({ text: '2000' });
  });

  it('asks nobody any more once the reader has left', async () => {
    const cf = platform('cf');
    following(open({ follow: true }));
    await pass(clock, 2_000, 50);
    reading.abort();
    await pass(clock, 100);
    const asked = cf.queries.length;
    await pass(clock, 5_000, 50);
    expect(cf.queries).toHaveLength(asked);
  });
});
