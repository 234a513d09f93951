import { describe, expect, it } from '@jest/globals';
import { OriginState, wireOrigin } from '../../src/gateway/lane.ts';
import { StallWatch } from '../../src/gateway/stall.ts';

function setUp() {
  const origin = new OriginState(wireOrigin('a/x:80', 'http://x:80', { sni: undefined }), 'a');
  const probes: ((alive: boolean) => void)[] = [];
  const stalled: OriginState[] = [];
  const watch = new StallWatch(
    (_origin, _host, _timeoutMs, done) => void probes.push(done),
    150,
    (found) => void stalled.push(found),
  );
  return { origin, probes, stalled, watch };
}

describe('the stall watch', () => {
  it('finds an origin stalled when the fresh connection gets no answer either', () => {
    const { origin, probes, stalled, watch } = setUp();
    expect(watch.suspect(origin, 'shop', 0)).toBe(true);
    probes[0]?.(false);
    expect(stalled).toEqual([origin]);
  });

  it('leaves it alone when the probe or anybody else was answered meanwhile', () => {
    const { origin, probes, stalled, watch } = setUp();
    watch.suspect(origin, 'shop', 0);
    probes[0]?.(true);
    watch.suspect(origin, 'shop', 1_000);
    origin.lastHeadAt = 1_050;
    probes[1]?.(false);
    expect(stalled).toEqual([]);
  });

  it('probes an origin once at a time and not in a burst', () => {
    const { origin, probes, watch } = setUp();
    expect(watch.suspect(origin, 'shop', 0)).toBe(true);
    expect(watch.suspect(origin, 'shop', 400)).toBe(false);
    probes[0]?.(true);
    expect(watch.suspect(origin, 'shop', 400)).toBe(true);
    probes[1]?.(true);
    expect(watch.suspect(origin, 'shop', 500)).toBe(false);
    expect(probes).toHaveLength(2);
  });
});
