import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runWorker } from '../../src/app/worker.ts';
import type { FromWorker, ToSupervisor, ToWorker } from '../../src/core/messages.ts';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { ask, until } from '../gateway/harness.ts';

describe("a worker's access log", () => {
  let folder = '';
  let stop: () => Promise<unknown> = async () => undefined;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-worker-log-'));
  });
  afterEach(async () => {
    await stop();
    fs.rmSync(folder, { recursive: true });
  });

  async function worker(file: string) {
    const said: (FromWorker | ToSupervisor)[] = [];
    let tell: (message: ToWorker) => void = () => undefined;
    const exited = new Promise<number>((exit) => {
      runWorker({
        ...{ index: 0, clock: systemClock, random: systemRandom, logger: silentLogger, exit },
        channel: {
          send: (message) => said.push(message),
          onMessage: (listener) => {
            tell = listener;
          },
          onDisconnect: () => undefined,
        },
      });
    });
    stop = () => {
      tell({ to: 'worker', type: 'stop', patient: false });
      return exited;
    };
    tell({
      ...{ to: 'worker', type: 'settings', revision: 'r1' },
      settings: {
        ...DEFAULT_GATEWAY,
        listen: [{ host: '127.0.0.1', port: 0 }],
        accessLog: { format: 'json', file: path.join(folder, file) },
      },
    });
    const isOver = ({ type }: FromWorker | ToSupervisor): boolean =>
      type === 'worker-listening' || type === 'failed';
    await until(() => said.some(isOver));
    return { said, tell: (message: ToWorker) => tell(message), over: said.find(isOver)! };
  }

  const linesOf = (file: string): string[] => {
    const at = path.join(folder, file);
    return fs.existsSync(at) ? fs.readFileSync(at, 'utf8').split('\n').slice(0, -1) : [];
  };

  it('goes to the file, and to a new one when told that it was moved away', async () => {
    const { over, tell } = await worker('access.log');
    const port = over.type === 'worker-listening' ? over.ports[0]! : 0;
    await ask(port, { path: '/one' });
    await until(() => linesOf('access.log').length === 1);
    fs.renameSync(path.join(folder, 'access.log'), path.join(folder, 'access.log.1'));
    tell({ to: 'worker', type: 'reopen-logs' });
    await until(() => fs.existsSync(path.join(folder, 'access.log')));
    await ask(port, { path: '/two' });
    await stop();
    expect(linesOf('access.log.1').map((line) => JSON.parse(line).path)).toEqual(['/one']);
    expect(linesOf('access.log').map((line) => JSON.parse(line).path)).toEqual(['/two']);
  });

  it('is needed: a worker that cannot open it says so and does not serve', async () => {
    const { over } = await worker('missing/access.log');
    expect(over).toMatchObject({
      type: 'failed',
      code: 'CONFIG_INVALID',
      details: { where: 'gateway.accessLog.file', remedy: expect.stringContaining('folder that exists') },
    });
  });
});
