import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoggedEvent } from '../../src/core/events.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { CANARY, type TestAdmin, testAdmin } from './admin.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = await testAdmin();
});
afterEach(() => admin.close());

function happens(count: number, padding = ''): void {
  for (let i = 0; i < count; i++) {
    admin.events.append({ type: 'platform.api.down', platform: 'cf', error: `no answer ${padding}` });
  }
}

/** The numbers of events on a stream, as they come. */
interface Stream {
  readonly response: IncomingMessage;
  readonly text: () => string;
  readonly ids: () => number[];
  reaches(count: number): Promise<void>;
  close(): void;
}

function stream(path: string, headers: Record<string, string> = {}, reading = true): Promise<Stream> {
  return new Promise((open, fail) => {
    const asked = get(
      new URL(path, admin.url),
      { headers: { accept: 'text/event-stream', ...headers }, agent: false },
      (response) => {
        let text = '';
        const ids = () => [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
        if (reading) {
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
        }
        response.on('error', () => undefined);
        open({
          response,
          text: () => text,
          ids,
          async reaches(count) {
            while (ids().length < count) await systemClock.sleep(5);
          },
          close: () => asked.destroy(),
        });
      },
    );
    asked.on('error', fail);
  });
}

describe('events as JSON', () => {
  it('come oldest first, from a number on, so many at most', async () => {
    happens(5);
    const seqs = async (query: string) =>
      ((await admin.ask(`/v1/events${query}`)).json as LoggedEvent[]).map(({ seq }) => seq);
    expect(await seqs('')).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs('?since=3')).toEqual([4, 5]);
    expect(await seqs('?since=1&limit=2')).toEqual([2, 3]);
    expect(await seqs('?since=1&last=2')).toEqual([4, 5]);
    expect(await seqs('?since=4&last=9')).toEqual([5]);
    expect(await seqs('?since=now')).toEqual([]);
    expect(await seqs('?since=nonsense&limit=-3')).toEqual([1, 2, 3, 4, 5]);
  });

  it('hold no secret', async () => {
    admin.events.append({ type: 'platform.api.down', platform: 'cf', error: `bad password ${CANARY}` });
    expect((await admin.ask('/v1/events')).text).not.toContain(CANARY);
  });
});

describe('events as a stream', () => {
  it('bring the past first, then what happens', async () => {
    happens(3);
    const events = await stream('/v1/events');
    expect(events.response.headers['content-type']).toBe('text/event-stream');
    await events.reaches(3);
    happens(2);
    await events.reaches(5);
    expect(events.ids()).toEqual([1, 2, 3, 4, 5]);
    const [block] = events.text().split('\n\n');
    expect(block).toMatch(/^id: 1\nevent: platform\.api\.down\ndata: \{"seq":1,/);
    events.close();
  });

  it('go on behind Last-Event-ID, whatever the address says', async () => {
    happens(3);
    const events = await stream('/v1/events?since=0', { 'last-event-id': '2' });
    await events.reaches(1);
    expect(events.ids()).toEqual([3]);
    events.close();
  });

  it('begin now when that is asked', async () => {
    happens(3);
    const events = await stream('/v1/events?since=now');
    happens(2);
    await events.reaches(2);
    expect(events.ids()).toEqual([4, 5]);
    events.close();
  });

  it('bring a past that is larger than any buffer, whole', async () => {
    happens(5_000, 'x'.repeat(2_000));
    const events = await stream('/v1/events');
    await events.reaches(5_000);
    expect(events.ids()).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
    events.close();
  });

  it('are cut off for a reader that takes nothing; it comes back and has missed nothing', async () => {
    const slow = await stream('/v1/events', {}, false);
    slow.response.pause();
    const ended = new Promise<void>((done) => slow.response.on('close', () => done()));
    happens(4_000, 'x'.repeat(4_000));
    slow.response.resume();
    await ended;
    const again = await stream('/v1/events', { 'last-event-id': '2000' });
    await again.reaches(2_000);
    expect(again.ids().at(-1)).toBe(4_000);
    again.close();
  });

  it('end when the server closes', async () => {
    const events = await stream('/v1/events');
    const ended = new Promise<void>((done) => events.response.on('end', () => done()));
    await admin.close();
    await ended;
  });
});
