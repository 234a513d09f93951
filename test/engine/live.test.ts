import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { DEFAULT_HEALTH, DEFAULT_POLICY } from '../../src/core/settings.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createMonitor } from '../../src/health/monitor.ts';
import { createProbe } from '../../src/health/probes.ts';
import { healthJudge } from '../../src/health/verdicts.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { closeAll, startAll } from '../../src/lib/lifecycle.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { application, eventLog, sharesIn, silent, target } from '../support/scenario.ts';

const servers: http.Server[] = [];

async function serve(): Promise<{ server: http.Server; url: string }> {
  const server = http.createServer((_request, response) => response.end('fine'));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('engine and monitor on real sockets', () => {
  it('move traffic within a probe interval when a server dies', async () => {
    const a = await serve();
    const b = await serve();
    const health = { ...DEFAULT_HEALTH, everyMs: 200 };
    const engine = createEngine({
      applications: [
        application([target({ platform: 'a' }), target({ platform: 'b' })], {
          health,
          policy: DEFAULT_POLICY,
        }),
      ],
      platforms: {},
      clock: systemClock,
      logger: silent,
      events: eventLog(virtualClock(), []),
      decide,
      judge: healthJudge,
    });
    const monitor = createMonitor({
      clock: systemClock,
      random: seededRandom(1),
      logger: silent,
      probe: createProbe({ clock: systemClock }),
      platforms: [],
    });
    monitor.onSignal((signal) => engine.accept(signal));
    engine.onWatched((origins) => monitor.watch(origins));
    const common = { release: undefined, pinned: false, hostHeader: undefined, sni: undefined };
    engine.setTargets('shop', [
      { platform: 'a', ...common, urls: [a.url] },
      { platform: 'b', ...common, urls: [b.url] },
    ]);
    function table(where: (shares: Record<string, number>) => boolean): Promise<void> {
      return new Promise((resolve) => {
        const check = (next: RoutingTable): void => {
          if (where(sharesIn(next))) resolve();
        };
        engine.onTable(check);
        check(engine.table);
      });
    }
    try {
      const both = table((shares) => shares['a'] === 0.5 && shares['b'] === 0.5);
      await startAll([engine, monitor]);
      await both;
      await new Promise<void>((resolve) =>
        monitor.onSignal((signal) => signal.kind === 'probe' && signal.platform === 'b' && resolve()),
      );
      const moved = table((shares) => shares['b'] === 1);
      a.server.closeAllConnections();
      a.server.close();
      const died = performance.now();
      await moved;
      expect(performance.now() - died).toBeLessThan(1_000);
      expect(engine.verdicts()['shop']?.['a']?.cause).toMatch(/^\d probes? failed: refused$/);
    } finally {
      await closeAll([engine, monitor]);
    }
  });
});
