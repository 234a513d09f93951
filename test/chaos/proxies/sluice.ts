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
 * Every default of the data path but the growth: the drill breaks the primary more often in two minutes than platforms
 * break in a year, and what is learned of one fault (longer ejections, a primary that flaps, a person who is called)
 * would hide the next. The policy brings traffic back within seconds instead of minutes. With `quick` all of it is shorter still.
 */
export function sluiceConfiguration({ primary, secondary, quick }: DrillPlace): string {
  const [ejection, holdDown, steps] = quick ? ['1s', '500ms', '[100%]'] : ['5s', '3s', '[25%, 50%, 100%]'];
  return `version: 1
platforms:
  primary: { provider: static, origins: ["http://127.0.0.1:${primary}"] }
  secondary: { provider: static, origins: ["http://127.0.0.1:${secondary}"] }
applications:
  drill:
    health: { path: /healthz }
    policy:
      base: demo
      holdDown: { base: ${holdDown}, max: ${holdDown} }
      ramp: { steps: ${steps}, every: 1s }
      flap: { start: 100%, stop: 99% }
      maxFailovers: 1000
    targets:
      primary: { tier: 1 }
      secondary: { tier: 2 }
gateway:
  listen: [{ host: 127.0.0.1, port: 0 }]
  ejection: { base: ${ejection}, max: ${ejection} }
`;
}
