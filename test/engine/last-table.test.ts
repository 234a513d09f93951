import { describe, expect, it } from '@jest/globals';
import type { StateStore } from '../../src/core/ports.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { createLastTable } from '../../src/engine/last-table.ts';
import { emitter } from '../../src/lib/emitter.ts';
import { scenario, silent } from '../support/scenario.ts';

function store(): { store: StateStore; kept: Map<string, unknown>; puts: unknown[]; fail: { on: boolean } } {
  const kept = new Map<string, unknown>();
  const puts: unknown[] = [];
  const fail = { on: false };
  const made = {
    async get(collection: string, key: string) {
      if (fail.on) throw new Error('the disk is gone');
      return kept.get(`${collection}/${key}`);
    },
    async put(collection: string, key: string, value: unknown) {
      if (fail.on) throw new Error('the disk is full');
      puts.push(value);
      kept.set(`${collection}/${key}`, JSON.parse(JSON.stringify(value)));
    },
  };
  return { store: made as unknown as StateStore, kept, puts, fail };
}

function table(version: number): RoutingTable {
  return { version, publishedAt: 0, routes: [] };
}

describe('the last table', () => {
  it('is read as it was published', async () => {
    const { store: disk } = store();
    const s = scenario({ targets: [{ platform: 'cf' }] });
    const last = createLastTable(disk, silent);
    last.follow(s.engine.onTable);
    s.run(1_000);
    await last.flush();
    expect(await createLastTable(disk, silent).read()).toEqual(JSON.parse(JSON.stringify(s.engine.table)));
  });

  it('is written once for many that come while one is written', async () => {
    const { store: disk, puts } = store();
    const last = createLastTable(disk, silent);
    const tables = emitter<RoutingTable>();
    last.follow(tables.event);
    for (let version = 1; version <= 50; version++) tables.fire(table(version));
    await last.flush();
    expect(puts).toEqual([table(1), table(50)]);
  });

  it('costs nothing but a warning when the disk fails', async () => {
    const { store: disk, fail, puts } = store();
    const last = createLastTable(disk, silent);
    const tables = emitter<RoutingTable>();
    last.follow(tables.event);
    fail.on = true;
    tables.fire(table(1));
    await last.flush();
    expect(await last.read()).toBeUndefined();
    fail.on = false;
    tables.fire(table(2));
    await last.flush();
    expect(puts).toEqual([table(2)]);
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['no version', { publishedAt: 1, routes: [] }],
    ['a route without targets', { version: 1, publishedAt: 1, routes: [{ host: '*', path: '/' }] }],
  ])('is none when %s is kept', async (_name, value) => {
    const { store: disk, kept } = store();
    kept.set('tables/last', value);
    expect(await createLastTable(disk, silent).read()).toBeUndefined();
  });
});
