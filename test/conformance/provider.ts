import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import type { ObservedOrigin, PlatformProvider } from '../../src/core/provider.ts';
import type { ServiceSpec } from '../../src/core/services.ts';
import type { Fault } from '../../src/lib/faults.ts';
import type { OriginAnswer } from '../support/request-origin.ts';
import { beforeAnything } from './provider/before.ts';
import { thatFails } from './provider/fails.ts';
import { besideForeign } from './provider/foreign.ts';
import { throughHiccups } from './provider/hiccups.ts';
import { withProcesses } from './provider/processes.ts';
import { thatRuns } from './provider/runs.ts';
import { withServices } from './provider/services.ts';
import { createSuite, type SuiteOptions } from './provider/suite.ts';
import { thatSwitches } from './provider/switches.ts';
import { withTasks } from './provider/tasks.ts';
import { thatTells } from './provider/tells.ts';
import { thatTries } from './provider/tries.ts';

/** What a platform must offer so that `providerConformance` can drive its provider. */
export interface ProviderHarness {
  /** The name the providers were made with. */
  readonly platform: string;
  /** The faults this platform can be told to have; cases about others pass without doing anything. */
  readonly faults: readonly Fault[];
  /** A NEW instance each call, as after a crash. The suite closes it. */
  provider(): PlatformProvider;
  setFault(fault: Fault, on: boolean): Promise<void>;
  /** One GET as the gateway would send it; test/support/request-origin.ts fits most. Rejects when nothing answers. */
  request(origin: ObservedOrigin, path: string): Promise<OriginAnswer>;
  /** A provider whose address nobody listens on. */
  unreachable(): PlatformProvider;
  /** A provider with a wrong password or token; absent where there are none. */
  wrongCredentials?(): PlatformProvider;
  /** Makes something that carries the application's name and not our stamp. */
  plantForeign?(application: string): Promise<void>;
  /** What is staged lies in a registry already: nothing of it is to be seen on the platform before it runs. */
  readonly isPrebuilt?: boolean;
  /** Services that the provider makes; absent where it makes none. */
  readonly services?: OfferedServices;
  /** Told of each case that could not be run here, or not wholly. */
  leftOut?(test: string): void;
  /** Milliseconds between two polls; 30 by default, for platforms on loopback. */
  readonly pollMs?: number;
  close(): Promise<void>;
}

export interface OfferedServices {
  readonly kept: OfferedService;
  readonly dropped: OfferedService;
  /** A folder that outlives releases; absent where it offers none. */
  readonly volume?: ServiceSpec;
  /** Somebody else begins to use it; the answer ends that. */
  borrow?(application: string, service: ServiceSpec): Promise<() => Promise<void>>;
}

export interface OfferedService {
  readonly spec: ServiceSpec;
  /** One of the things that it hands out. */
  readonly key: string;
}

/** Real platforms take their time. */
const CASE_MS = 90_000;

/**
 * What every provider must do, whatever its platform. Call it at the top level of a test file:
 * `providerConformance('cloudfoundry', async () => harness)`. The cases of a group run in order on one application.
 */
export function providerConformance(
  name: string,
  open: () => Promise<ProviderHarness>,
  options: SuiteOptions = { prefix: 'conf', slowness: 1 },
): void {
  jest.setTimeout(CASE_MS * options.slowness);

  describe(`provider conformance: ${name}`, () => {
    const suite = createSuite(open, options);
    beforeAll(() => suite.open());
    afterAll(() => suite.close());

    beforeAnything(suite);
    thatRuns(suite);
    thatFails(suite);
    thatTries(suite);
    withProcesses(suite);
    if (!options.without?.includes('tasks')) withTasks(suite);
    withServices(suite);
    thatSwitches(suite);
    if (!options.without?.includes('events')) thatTells(suite);
    throughHiccups(suite);
    besideForeign(suite);
  });
}
