import type { ApplicationName } from '../../../src/core/ids.ts';
import type { Observation, ObservedOrigin } from '../../../src/core/provider.ts';
import { noTraffic, type TrafficControl } from '../../../src/core/traffic.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { servingOrigins } from '../provider/suite.ts';

const PAUSE_MS = 15;

/** The smallest gateway there is: one request after the other to what serves, moved by the orchestrator's word. */
export interface Clients {
  readonly traffic: TrafficControl;
  /** Which release answered each request, in order. */
  readonly answeredBy: readonly string[];
  readonly failures: readonly string[];
  /** From now on to what serves there now. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createClients(observe: () => Promise<Observation>): Clients {
  const answeredBy: string[] = [];
  const failures: string[] = [];
  let origins: readonly ObservedOrigin[] = [];
  let stopped = false;
  let sending: Promise<void> = Promise.resolve();
  let underWay: Promise<void> = Promise.resolve();

  async function one(origin: ObservedOrigin): Promise<void> {
    try {
      const { status, headers, body } = await requestOrigin(origin, '/');
      if (status === 200) answeredBy.push(String(headers['x-release']));
      else failures.push(`${origin.url}: ${status} ${body}`);
    } catch (error) {
      failures.push(`${origin.url}: ${String(error)}`);
    }
  }

  async function send(): Promise<void> {
    while (!stopped) {
      for (const origin of origins) {
        if (stopped || !origins.includes(origin)) continue;
        underWay = one(origin);
        await underWay;
      }
      await systemClock.sleep(PAUSE_MS);
    }
  }

  return {
    answeredBy,
    failures,
    traffic: {
      ...noTraffic,
      async introduce(_application: ApplicationName, _platform, release) {
        const seen = servingOrigins(await observe());
        const others = seen.filter((one) => one.release === undefined || one.release === release);
        const known = new Set(others.map((one) => one.url));
        origins = [...others, ...origins.filter((one) => !known.has(one.url))];
      },
      async withdraw(_application, _platform, release) {
        origins = origins.filter((one) => one.release !== release);
        await underWay;
      },
    },
    async start() {
      origins = servingOrigins(await observe());
      sending = send();
    },
    async stop() {
      stopped = true;
      await sending;
    },
  };
}
