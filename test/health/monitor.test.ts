import { describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { Observation, PlatformProvider } from '../../src/core/provider.ts';
import { DEFAULT_HEALTH } from '../../src/core/settings.ts';
import type { ProbeKind, Signal } from '../../src/core/signals.ts';
import type { WatchedOrigin } from '../../src/core/verdict.ts';
import { createMonitor } from '../../src/health/monitor.ts';
import type { Probe } from '../../src/health/probes.ts';
import { backgroundRead } from '../../src/lib/background.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { ReadPutOff } from '../../src/lib/read-put-off.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { silent } from '../support/scenario.ts';

const OK = { probe: 'http', ok: true, detail: 'ok', latencyMs: 1 } as const;
/** Nothing but the main probe. */
const PLAIN = { ...DEFAULT_HEALTH, path: undefined };

function origin(url: string, given: Partial<WatchedOrigin> = {}): WatchedOrigin {
  return {
    application: 'shop',
    platform: 'cf',
    url,
    hostHeader: undefined,
    sni: undefined,
    health: PLAIN,
    ...given,
  };
}

/** Answers as asked, and by default well. */
function answering(failing: ReadonlySet<ProbeKind | undefined> = new Set()): Probe {
  return async (_target, _health, kind = 'http') => ({
    ...OK,
    probe: kind,
    ...(failing.has(kind) ? { ok: false, detail: 'timeout' } : {}),
  });
}

/** Advances in small steps and lets promises settle in between. */
async function run(clock: VirtualClock, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 50) {
    clock.advance(50);
    for (let i = 0; i < 6; i++) await Promise.resolve();
  }
}

function monitored(
  options: {
    probe?: Probe;
    observe?: () => Promise<Observation>;
    changes?: PlatformProvider['changes'];
  } = {},
) {
  const clock = virtualClock(1_000_000);
  const { observe, changes } = options;
  const provider = { kind: 'test', platform: 'cf', observe, changes } as unknown as PlatformProvider;
  const monitor = createMonitor({
    clock,
    random: seededRandom(7),
    logger: silent,
    probe: options.probe ?? (async () => OK),
    platforms: observe === undefined ? [] : [{ application: 'shop', provider }],
  });
  const signals: Signal[] = [];
  monitor.onSignal((signal) => signals.push(signal));
  return { clock, monitor, signals };
}

const SEEN: Observation = {
  at: 1,
  apiLatencyMs: 1,
  exists: true,
  releases: [],
  serving: undefined,
  instances: [],
  desired: 0,
  origins: [],
  env: {},
  foreign: [],
};

describe('connections kept for health paths', () => {
  it.each(['tcp', 'control'] as const)('are doubted when %s fails at their address', async (kind) => {
    const failing = new Set<ProbeKind | undefined>();
    const doubted: string[] = [];
    const answer = answering(failing);
    const probe: Probe = async (target, health, asked, kept) => {
      if (kept !== undefined) kept.doubt = () => void doubted.push(`${asked} ${target.url}`);
      return answer(target, health, asked);
    };
    const { clock, monitor } = monitored({ probe });
    const given = { health: { ...DEFAULT_HEALTH, path: '/' }, behindRouter: true } as const;
    monitor.watch([origin('http://a', given), origin('http://b', { ...given, platform: 'ocp' })]);
    await monitor.start();
    await run(clock, 3_000);
    expect(doubted).toEqual([]);
    failing.add(kind);
    await run(clock, 3_000);
    expect(doubted).toEqual(expect.arrayContaining(['http http://a', 'http http://b']));
    await monitor.close();
  });
});

describe('probing', () => {
  it('begins at once with a few, and one after the other with thousands', async () => {
    let asked = 0;
    const probe: Probe = async () => {
      asked += 1;
      return OK;
    };
    const { clock, monitor } = monitored({ probe });
    monitor.watch(Array.from({ length: 1_000 }, (_, i) => origin(`http://10.0.0.1:${i + 1}`)));
    await monitor.start();
    clock.advance(0);
    expect(asked).toBe(50);
    clock.advance(100);
    expect(asked).toBe(550);
    clock.advance(100);
    expect(asked).toBe(1_000);
    await monitor.close();
  });

  it('begins at once and goes on every second, give or take ten percent', async () => {
    const { clock, monitor, signals } = monitored();
    monitor.watch([origin('http://127.0.0.1:1')]);
    await monitor.start();
    await run(clock, 20_000);
    await monitor.close();
    const times = signals.map(({ at }) => at);
    expect(times[0]).toBe(1_000_050);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_150);
    expect(new Set(gaps).size).toBeGreaterThan(1);
    expect(signals[0]).toMatchObject({ kind: 'probe', origin: 'cf/127.0.0.1:1', ok: true, platform: 'cf' });
  });

  it('never has two in flight for one origin', async () => {
    let inFlight = 0;
    let most = 0;
    const clockRef: { clock?: VirtualClock } = {};
    const { clock, monitor } = monitored({
      probe: async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await clockRef.clock?.sleep(3_000);
        inFlight -= 1;
        return OK;
      },
    });
    clockRef.clock = clock;
    monitor.watch([origin('http://127.0.0.1:1')]);
    await monitor.start();
    await run(clock, 10_000);
    await monitor.close();
    expect(most).toBe(1);
  });

  it('leaves the rhythm of those still watched, and stops with the others', async () => {
    const { clock, monitor, signals } = monitored();
    monitor.watch([origin('http://127.0.0.1:1'), origin('http://127.0.0.1:2')]);
    await monitor.start();
    await run(clock, 100);
    monitor.watch([origin('http://127.0.0.1:1')]);
    await run(clock, 500);
    expect(signals).toHaveLength(2);
    await run(clock, 3_000);
    await monitor.close();
    const later = signals.slice(2).map((signal) => (signal.kind === 'probe' ? signal.origin : ''));
    expect(new Set(later)).toEqual(new Set(['cf/127.0.0.1:1']));
  });

  it('is silent after close', async () => {
    const { clock, monitor, signals } = monitored();
    monitor.watch([origin('http://127.0.0.1:1')]);
    await monitor.start();
    await run(clock, 100);
    await monitor.close();
    await run(clock, 5_000);
    expect(signals).toHaveLength(1);
  });
});

describe('probing beside the health path', () => {
  const ROUTED = { health: DEFAULT_HEALTH, behindRouter: true } as const;
  const kinds = (signals: readonly Signal[]) =>
    signals.map((signal) =>
      signal.kind === 'probe' ? `${signal.probe} ${signal.application} ${signal.platform}` : '',
    );

  it('asks each address for its port, and routers for a host they cannot know, once for all who share it', async () => {
    const asked: string[] = [];
    const { clock, monitor, signals } = monitored({
      probe: (target, health, kind) => {
        asked.push(`${kind} ${target.url}`);
        return answering()(target, health, kind);
      },
    });
    const router = 'http://router:80';
    monitor.watch([
      origin(router, { ...ROUTED, hostHeader: 'shop.test' }),
      origin(router, { ...ROUTED, hostHeader: 'desk.test', application: 'desk' }),
      origin('http://rack:80', { platform: 'rack', health: DEFAULT_HEALTH }),
    ]);
    await monitor.start();
    await run(clock, 100);
    await monitor.close();
    expect(asked.sort()).toEqual([
      'control http://router:80',
      'http http://rack:80',
      'http http://router:80',
      'http http://router:80',
      'tcp http://rack:80',
      'tcp http://router:80',
    ]);
    expect(kinds(signals).filter((one) => !one.startsWith('http'))).toEqual(
      expect.arrayContaining([
        'tcp shop cf',
        'tcp desk cf',
        'control shop cf',
        'control desk cf',
        'tcp shop rack',
      ]),
    );
  });

  it('has a look at the address as soon as a health path fails, not two seconds later', async () => {
    const failing = new Set<ProbeKind>();
    const { clock, monitor, signals } = monitored({ probe: answering(failing) });
    monitor.watch([origin('http://router:80', ROUTED)]);
    await monitor.start();
    // Between its turns.
    await run(clock, 300);
    signals.length = 0;
    failing.add('http');
    await run(clock, 900);
    await monitor.close();
    expect(kinds(signals)).toEqual(['http shop cf', 'tcp shop cf', 'control shop cf']);
  });

  it('goes deeper in a rhythm of its own where the rule says so', async () => {
    const deep = { path: '/readyz', everyMs: 5_000, timeoutMs: 2_000 };
    const { clock, monitor, signals } = monitored({ probe: answering() });
    monitor.watch([origin('http://rack:80', { health: { ...PLAIN, deep } })]);
    await monitor.start();
    await run(clock, 11_000);
    await monitor.close();
    expect(kinds(signals).filter((one) => one.startsWith('deep'))).toHaveLength(3);
  });
});

describe('observing', () => {
  it('are looked at as soon as they tell of a change, once for a burst of them, and not after the end', async () => {
    let looks = 0;
    const listeners = new Set<() => void>();
    const { clock, monitor } = monitored({
      observe: async () => {
        looks += 1;
        return SEEN;
      },
      changes: (_, changed) => {
        listeners.add(changed);
        return () => void listeners.delete(changed);
      },
    });
    const change = (): void => {
      for (const listener of listeners) listener();
    };
    await monitor.start();
    await run(clock, 500);
    expect(looks).toBe(1);
    change();
    change();
    await run(clock, 150);
    expect(looks).toBe(2);
    change();
    await monitor.close();
    expect(listeners.size).toBe(0);
    await run(clock, 5_000);
    expect(looks).toBe(2);
  });

  it('reads the platform every two seconds, about', async () => {
    const { clock, monitor, signals } = monitored({ observe: async () => SEEN });
    await monitor.start();
    await run(clock, 20_000);
    await monitor.close();
    expect(signals.length).toBeGreaterThanOrEqual(9);
    expect(signals.length).toBeLessThanOrEqual(12);
    expect(signals[0]).toMatchObject({ kind: 'platform', observation: SEEN });
  });

  it('tells a failure as a signal and asks less and less often', async () => {
    const { clock, monitor, signals } = monitored({
      observe: async () => {
        throw platformError('unavailable', 'cf', 'the API does not answer');
      },
    });
    await monitor.start();
    await run(clock, 120_000);
    await monitor.close();
    expect(signals[0]).toMatchObject({ observation: undefined, apiError: 'the API does not answer' });
    expect(signals.length).toBeGreaterThanOrEqual(6);
    expect(signals.length).toBeLessThanOrEqual(9);
  });

  it('is silent of a read that was put off, and reads again when it may', async () => {
    const asked: number[] = [];
    let waits: number | undefined = 50_000;
    const { clock, monitor, signals } = monitored({
      observe: async () => {
        asked.push(Math.round((clock.now() - 1_000_000) / 1_000));
        if (waits !== undefined) throw new ReadPutOff('cf', 'https://api', waits);
        return SEEN;
      },
    });
    await monitor.start();
    await run(clock, 60_000);
    waits = 3_000_000;
    await run(clock, 200_000);
    expect(asked).toEqual([0, 50, 100, 220]);
    expect(signals).toEqual([]);
    waits = undefined;
    await run(clock, 100_000);
    await monitor.close();
    // From then on as often as ever.
    expect(signals.length).toBeGreaterThan(5);
    expect(signals.every((signal) => signal.kind === 'platform' && signal.observation === SEEN)).toBe(true);
  });

  it('puts off no read that somebody waits for', async () => {
    const urgent: (boolean | undefined)[] = [];
    const { monitor } = monitored({
      observe: async () => {
        urgent.push(backgroundRead()?.urgent);
        return SEEN;
      },
    });
    await monitor.observeNow('shop', 'cf');
    await monitor.close();
    expect(urgent).toEqual([true]);
  });

  it('gives up on a read that takes too long', async () => {
    const { clock, monitor, signals } = monitored({ observe: () => new Promise(() => undefined) });
    await monitor.start();
    await run(clock, 11_000);
    await monitor.close();
    expect(signals).toEqual([expect.objectContaining({ apiError: 'no answer within 10 s' })]);
  });

  it('reads at once when asked to', async () => {
    let reads = 0;
    const { clock, monitor, signals } = monitored({
      observe: async () => {
        reads += 1;
        return SEEN;
      },
    });
    await monitor.start();
    await run(clock, 100);
    await monitor.observeNow('shop', 'cf');
    expect(reads).toBe(2);
    expect(signals).toHaveLength(2);
    await expect(monitor.observeNow('shop', 'nowhere')).rejects.toThrow('not observed');
    await monitor.close();
  });
});
