import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import { SLUICE_VERSION } from '../../../src/app/version.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import type { LoggedEvent } from '../../../src/core/events.ts';
import { describeEvent } from '../../../src/events/describe.ts';
import { startChild } from '../../bench/child.ts';
import type { Contender, DrillPlace, JournalLine } from './contender.ts';

/** The compiled program beside the compiled drill. */
const MAIN = resolve(import.meta.dirname, '../../../src/main.js');

/** The whole product as a person starts it: supervisor, controller and one worker. */
export const sluice: Contender = {
  name: 'sluice',
  describe: () => ({ version: SLUICE_VERSION }),
  async start(place) {
    const { folder } = place;
    const file = join(folder, 'sluice.yaml');
    await writeFile(file, sluiceConfiguration(place));
    const child = await startChild({
      name: 'sluice',
      command: process.execPath,
      args: [
        ...[MAIN, 'serve', '--json', '--file', file],
        ...['--port', '0', '--admin-port', '0', '--state', join(folder, 'state')],
      ],
      core: undefined,
      cwd: folder,
      env: { SLUICE_STOP_WITH_STDIN: '1', SLUICE_LOG: 'warn' },
      ready: (line) => line.startsWith('{"type":"listening"'),
    });
    const { ports, adminPort } = JSON.parse(child.readyLine) as ListeningLine;
    if (ports[0] === undefined) {
      await child.stop();
      throw new SluiceError('NOT_HEALTHY', 'the gateway listens nowhere', { where: file });
    }
    return { port: ports[0], child, journal: () => journal(adminPort) };
  },
};

interface ListeningLine {
  readonly ports: readonly number[];
  readonly adminPort: number;
}

/** What moves traffic. */
const TELLING = /^(origin|verdict|decision|process)\./;

async function journal(adminPort: number): Promise<readonly JournalLine[]> {
  const answer = await request(`http://127.0.0.1:${adminPort}/v1/events?limit=1000`);
  const events = (await answer.body.json()) as readonly LoggedEvent[];
  return events
    .filter(({ type }) => TELLING.test(type))
    .map((event) => ({ at: event.at, text: describeEvent(event) }));
}

/**
 * Every default of the data path. Only the policy is not the default one, which brings traffic back over minutes;
 * with `quick` also the length of an ejection, so that short faults can follow each other.
 */
export function sluiceConfiguration({ primary, secondary, quick }: DrillPlace): string {
  const policy = quick
    ? '{ base: demo, holdDown: { base: 500ms, max: 1s }, ramp: { steps: [100%], every: 1s } }'
    : 'demo';
  const ejection = quick ? '  ejection: { base: 1s, max: 1s }\n' : '';
  return `version: 1
platforms:
  primary: { provider: static, origins: ["http://127.0.0.1:${primary}"] }
  secondary: { provider: static, origins: ["http://127.0.0.1:${secondary}"] }
applications:
  drill:
    health: { path: /healthz }
    policy: ${policy}
    targets:
      primary: { tier: 1 }
      secondary: { tier: 2 }
gateway:
  listen: [{ host: 127.0.0.1, port: 0 }]
${ejection}`;
}
