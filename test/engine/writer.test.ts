import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { RoutingTable, TableWrites } from '../../src/core/routing-table.ts';
import type { DataSettings } from '../../src/core/settings.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { healthJudge } from '../../src/health/verdicts.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';

const data: DataSettings = { writes: 'single', writer: 'a' };

function engineAfter(lastTable?: RoutingTable) {
  const clock = virtualClock(1_000_000);
  const engine = createEngine({
    applications: [application([target({ platform: 'a' }), target({ platform: 'b' })], { data })],
    platforms: {},
    ...{ clock, logger: silent, events: eventLog(clock, []), decide, judge: healthJudge },
    ...(lastTable === undefined ? {} : { lastTable }),
  });
  const common = { release: undefined, pinned: false, hostHeader: undefined, sni: undefined };
  function probe(platform: string, ok: boolean): void {
    const at = clock.now();
    engine.accept({
      ...{ kind: 'probe', at, application: 'shop', platform, origin: `${platform}/h:1`, probe: 'http' },
      ...{ ok, detail: ok ? 'ok' : 'refused', latencyMs: 1 },
    });
  }
  return {
    clock,
    engine,
    see(states: Readonly<Record<string, boolean>>): void {
      for (let i = 0; i < 5; i += 1) {
        for (const [platform, ok] of Object.entries(states)) probe(platform, ok);
        clock.advance(1_000);
      }
    },
    begin(): void {
      if (lastTable === undefined) {
        const urls = ['http://h:1'];
        engine.setTargets('shop', [
          { platform: 'a', ...common, urls },
          { platform: 'b', ...common, urls },
        ]);
      }
      void engine.start();
    },
  };
}

const writesIn = (engine: Engine): TableWrites | undefined => engine.table.routes[0]?.writes;

/** `a` has died; `b` is promoted unless the test says otherwise. */
function afterMove({ promoted }: { readonly promoted: boolean }): RoutingTable {
  const { engine, see, begin } = engineAfter();
  begin();
  see({ a: true, b: true });
  expect(writesIn(engine)).toEqual({ kind: 'single', writer: 'a', epoch: 1 });
  see({ a: false, b: true });
  expect(writesIn(engine)).toEqual({ kind: 'single', writer: undefined, epoch: 2, next: 'b' });
  if (promoted) {
    engine.promoted('shop', 2);
    expect(writesIn(engine)).toEqual({ kind: 'single', writer: 'b', epoch: 2 });
  }
  return engine.table;
}

describe('the writer after a restart', () => {
  it('is who the last table says, though the configured one is back', () => {
    const { engine, see, begin } = engineAfter(afterMove({ promoted: true }));
    begin();
    see({ a: true, b: true });
    expect(writesIn(engine)).toEqual({ kind: 'single', writer: 'b', epoch: 2 });
    expect(engine.decision('shop')?.intents).toEqual([]);
  });

  it('is still to be promoted where that was not done', () => {
    const { engine, see, begin } = engineAfter(afterMove({ promoted: false }));
    begin();
    see({ a: true, b: true });
    expect(writesIn(engine)).toEqual({ kind: 'single', writer: undefined, epoch: 2, next: 'b' });
    expect(engine.decision('shop')?.intents).toMatchObject([
      { kind: 'promote-writer', platform: 'b', epoch: 2 },
    ]);
  });

  it('is who is on record where the last table is older, from the first moment on', () => {
    const { engine, see, begin } = engineAfter(afterMove({ promoted: true }));
    const tables: (TableWrites | undefined)[] = [];
    engine.onTable(() => tables.push(writesIn(engine)));
    const writer = { platform: 'a', epoch: 3, ready: true, since: 0 };
    engine.recall('shop', { writer, promotedEpoch: 3 });
    begin();
    see({ a: true, b: true });
    expect(tables[0]).toEqual({ kind: 'single', writer: 'a', epoch: 3 });
    expect(writesIn(engine)).toEqual({ kind: 'single', writer: 'a', epoch: 3 });
  });

  it('is not who is on record where the last table has a higher epoch', () => {
    const { engine, see, begin } = engineAfter(afterMove({ promoted: true }));
    engine.recall('shop', { writer: { platform: 'a', epoch: 1, ready: true, since: 0 } });
    begin();
    see({ a: true, b: true });
    expect(writesIn(engine)).toEqual({ kind: 'single', writer: 'b', epoch: 2 });
  });
});
