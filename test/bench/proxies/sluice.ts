import { resolve } from 'node:path';
import { SLUICE_VERSION } from '../../../src/app/version.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import { startChild } from '../child.ts';
import type { Contender } from '../contender.ts';
import { environmentOf, treeOf } from '../proc.ts';

/** The compiled program beside the compiled bench. */
const MAIN = resolve(import.meta.dirname, '../../../src/main.js');

/** The whole product as a person starts it: supervisor, controller and one worker, with policy, breaker and metrics. */
export const sluice: Contender = {
  name: 'sluice',
  describe: () => ({ version: SLUICE_VERSION }),
  async start({ originUrl, folder, core }) {
    const child = await startChild({
      name: 'sluice',
      command: process.execPath,
      args: [
        MAIN,
        'serve',
        '--json',
        ...['--origin', `bench=${originUrl}`],
        ...['--port', '0', '--admin-port', '0', '--state', folder],
      ],
      core,
      env: { SLUICE_STOP_WITH_STDIN: '1' },
      cwd: folder,
      ready: (line) => line.startsWith('{"type":"listening"'),
    });
    const { ports } = JSON.parse(child.readyLine) as { ports: readonly number[] };
    const worker = treeOf(child.pid).find((pid) => environmentOf(pid).includes('SLUICE_ROLE=worker'));
    if (worker === undefined || ports[0] === undefined) {
      await child.stop();
      throw new SluiceError('NOT_HEALTHY', 'the gateway runs without a worker', {
        where: 'sluice',
        remedy: 'start it by hand: node dist/src/main.js serve --origin a=URL',
      });
    }
    return { url: `http://127.0.0.1:${ports[0]}`, dataPathPid: worker, child };
  },
};
