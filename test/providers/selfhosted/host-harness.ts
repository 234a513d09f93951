import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProvider } from '../../../providers/selfhosted/provider.ts';
import type { Logger, Runnable } from '../../../src/core/ports.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createHost } from '../../../src/runner/host.ts';

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** A host daemon in this process, on a folder of its own; `end` leaves nothing running. */
export interface TestHost {
  readonly socket: string;
  readonly stateDir: string;
  provider(): PlatformProvider;
  /** The daemon goes and, by its mode, leaves its instances. */
  stop(): Promise<void>;
  start(): Promise<void>;
  end(): Promise<void>;
}

export async function testHost(mode: 'kill' | 'keep', platform = 'rack'): Promise<TestHost> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-host-'));
  const socket = join(folder, 'host.sock');
  const stateDir = join(folder, 'state');
  let host: Runnable | undefined;
  let seed = 1;

  async function start(onOwnerExit = mode): Promise<void> {
    host = createHost({
      socket,
      stateDir,
      clock: systemClock,
      random: seededRandom(seed++),
      onOwnerExit,
      logger: silentLogger,
    });
    await host.start();
  }

  async function stop(): Promise<void> {
    await host?.close();
    host = undefined;
  }

  await start();
  return {
    socket,
    stateDir,
    provider: () => providerAt(socket, platform),
    start,
    stop,
    async end() {
      await stop();
      // What was kept is ended by a daemon that keeps nothing: it kills what it finds, then its own.
      await start('kill');
      await stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export function providerAt(socket: string, platform = 'rack'): PlatformProvider {
  return createProvider({
    platform,
    options: { driver: 'process', socket },
    clock: systemClock,
    random: seededRandom(3),
    logger: silentLogger,
  });
}
