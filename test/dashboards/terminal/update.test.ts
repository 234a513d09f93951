import { describe, expect, it } from '@jest/globals';
import { KEYS } from '../../../dashboards/terminal/keys.ts';
import { initialModel, type Model } from '../../../dashboards/terminal/model.ts';
import { trendLine } from '../../../dashboards/terminal/rates.ts';
import { type Command, type Message, update } from '../../../dashboards/terminal/update.ts';
import { EXPLANATION, NOW, RECENT, shopStatus } from '../shop-status.ts';

function steps(...messages: readonly Message[]): { model: Model; commands: readonly Command[] } {
  let model = initialModel('sluice top', 'http://127.0.0.1:9901', NOW);
  let commands: readonly Command[] = [];
  for (const message of messages) ({ model, commands } = update(model, message));
  return { model, commands };
}

const STATUS: Message = { type: 'status', at: NOW, status: shopStatus() };

function key(name: string): Message {
  return { type: 'key', key: name };
}

describe('keys', () => {
  it.each(['q', 'C-c'])('%s quits', (name) => {
    expect(steps(STATUS, key(name)).commands).toEqual([{ type: 'quit' }]);
  });

  it('are bound once each', () => {
    const all = KEYS.flatMap(({ keys }) => keys);
    expect(new Set(all).size).toBe(all.length);
  });

  it('that mean nothing change nothing', () => {
    const { model } = steps(STATUS);
    expect(update(model, key('f12')).model).toBe(model);
  });

  it.each([
    ['down', 'up'],
    ['j', 'k'],
  ])('%s and %s select a platform and stop at the ends', (down, up) => {
    expect(steps(STATUS).model.selected).toEqual({ application: 'shop', platform: 'cf' });
    expect(steps(STATUS, key(down)).model.selected?.platform).toBe('ocp');
    expect(steps(STATUS, key(down), key(down), key(down), key(down)).model.selected?.platform).toBe('rack');
    expect(steps(STATUS, key(down), key(up), key(up)).model.selected?.platform).toBe('cf');
  });

  it.each(['w', 'enter'])('%s asks why, and closes the page again', (name) => {
    const opened = steps(STATUS, key(name));
    expect(opened.commands).toEqual([{ type: 'explain', application: 'shop' }]);
    expect(opened.model.page.kind).toBe('explain');
    expect(update(opened.model, key(name)).model.page).toEqual({ kind: 'none' });
    expect(update(opened.model, key('escape')).model.page).toEqual({ kind: 'none' });
  });

  it('w does nothing before there is an application', () => {
    expect(steps(key('w'))).toEqual({ model: steps().model, commands: [] });
  });
});

describe('what the server says', () => {
  it('renews an open explanation with every status, and only when the last answer is there', () => {
    const asked = steps(STATUS, key('w'), STATUS);
    expect(asked.commands).toEqual([]);
    const there = steps(STATUS, key('w'), { type: 'explained', explanation: EXPLANATION }, STATUS);
    expect(there.commands).toEqual([{ type: 'explain', application: 'shop' }]);
    const paused = steps(STATUS, key('w'), { type: 'explained', explanation: EXPLANATION }, key('p'), STATUS);
    expect(paused.commands).toEqual([]);
  });

  it('is not mixed up with another explanation that came late', () => {
    const other: Message = { type: 'explained', explanation: { ...EXPLANATION, application: 'other' } };
    expect(steps(STATUS, key('w'), other).model.page).toMatchObject({ answer: { state: 'asked' } });
    expect(steps(STATUS, other).model.page).toEqual({ kind: 'none' });
  });

  it('keeps the selection while its platform exists', () => {
    const { model } = steps(STATUS, key('j'), STATUS);
    expect(model.selected?.platform).toBe('ocp');
    const [shop] = shopStatus().applications;
    const without = shopStatus({ applications: [{ ...shop!, platforms: shop!.platforms.slice(2) }] });
    expect(update(model, { type: 'status', at: NOW, status: without }).model.selected?.platform).toBe('rack');
    const none = shopStatus({ applications: [] });
    expect(update(model, { type: 'status', at: NOW, status: none }).model.selected).toBeUndefined();
  });

  it('keeps events that are newer than the status, and forgets those it contains', () => {
    const newer = { ...RECENT[0]!, seq: 9, at: NOW + 10 };
    const { model } = steps(STATUS, { type: 'event', event: newer });
    expect(model.data.since).toEqual([newer]);
    const next = shopStatus({ at: NOW + 500, recent: [...RECENT, newer] });
    expect(update(model, { type: 'status', at: NOW + 500, status: next }).model.data.since).toEqual([]);
  });

  it('leaves out events that explain nothing', () => {
    const event = { seq: 9, at: NOW + 10, type: 'table.published', version: 2, shares: {} } as const;
    expect(steps(STATUS, { type: 'event', event }).model.data.since).toEqual([]);
  });

  it('remembers since when nobody answers until somebody does', () => {
    const lost = steps(
      STATUS,
      { type: 'failed', at: NOW + 500, why: 'refused' },
      { type: 'failed', at: NOW + 1_000, why: 'still' },
    ).model;
    expect(lost.link).toEqual({ state: 'lost', since: NOW + 500, why: 'still' });
    expect(update(lost, STATUS).model.link).toEqual({ state: 'up' });
  });
});

describe('the trend', () => {
  it('is sampled every two seconds of the server, whatever the clock does', () => {
    const at = (ms: number): Message => ({ type: 'status', at: NOW, status: shopStatus({ at: NOW + ms }) });
    const count = (...all: Message[]): number | undefined =>
      steps(...all).model.data.rates.samples['shop cf']?.length;
    expect(count(at(0), at(500), at(1_999))).toBe(1);
    expect(count(at(0), at(500), at(2_000), at(4_100))).toBe(3);
    expect(count(at(0), at(-60_000))).toBe(2);
  });

  it('is drawn against the highest of all rows; a little is seen, nothing is not', () => {
    expect(trendLine([0, 1, 50, 100], 100, 6, ' .:|')).toBe('   .:|');
    expect(trendLine([0, 0], 0, 3, ' .:|')).toBe('   ');
  });
});
