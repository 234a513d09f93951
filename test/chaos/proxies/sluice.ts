import { request } from 'undici';
import { SLUICE_VERSION } from '../../../src/app/version.ts';
import type { LoggedEvent } from '../../../src/core/events.ts';
import { describeEvent } from '../../../src/events/describe.ts';
import { startGatewayProcess } from '../gateway-process.ts';
import type { Contender, DrillPlace, JournalLine } from './contender.ts';

/** The whole product as a person starts it: supervisor, controller and one worker. */
export const sluice: Contender = {
  name: 'sluice',
  describe: () => ({ version: SLUICE_VERSION }),
  async start(place) {
    const { port, adminUrl, child } = await startGatewayProcess(sluiceConfiguration(place), place.folder);
    return { port, child, journal: () => journal(adminUrl) };
  },
};

/** What moves traffic. */
const TELLING = /^(origin|verdict|decision|process)\./;

async function journal(adminUrl: string): Promise<readonly JournalLine[]> {
  const answer = await request(`${adminUrl}/v1/events?limit=1000`);
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
