import { expect } from '@jest/globals';
import type { Bundle, Observation, ObservedOrigin, TargetSpec } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Fault } from '../../../src/lib/faults.ts';
import type { OriginAnswer } from '../../support/request-origin.ts';
import { type SampleWish, sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import type { ProviderHarness } from '../provider.ts';
import { createDriver, type Driver } from '../provider-driver.ts';

/** What the cases share. The harness exists from `open` on: cases are declared before it. */
export interface Suite {
  readonly harness: ProviderHarness;
  readonly drive: Driver;
  /** The sample application that works. */
  readonly ok: Bundle;
  /** Everything may take so many times as long. */
  readonly slowness: number;
  open(): Promise<void>;
  close(): Promise<void>;
  wish(application: string, number: number, more?: Partial<SampleWish>): TargetSpec;
  observe(application: string): Promise<Observation>;
  destroy(application: string): Promise<void>;
  /** One answer from each origin that serves. */
  answers(seen: Observation): Promise<readonly OriginAnswer[]>;
  /** Waits until all origins answer as this release: routes take a moment to reach a router. */
  answeredBy(application: string, release: string): Promise<readonly OriginAnswer[]>;
  /** A case that needs a fault which the platform cannot be given is left out, and told to the harness. */
  has(fault: Fault): boolean;
  /** True where the platform is known to lack it: the case is left out, and told to the harness. */
  lacks(what: Lacking): boolean;
  /** Says that this case was not run, or not all of it. */
  leaveOut(): void;
  /** The name of an application of ours: nobody else's has the prefix. */
  app(name: string): string;
  /** Runs `work` while the fault is on; it is off afterwards, whatever happens. */
  during<T>(fault: Fault, work: () => Promise<T>): Promise<T>;
}

interface Opened {
  readonly harness: ProviderHarness;
  readonly drive: Driver;
  readonly ok: Bundle & { remove(): Promise<void> };
}

export type Lacking = 'tasks' | 'events' | 'process restart';

/** How the suite is run; the defaults are for platforms on loopback. */
export interface SuiteOptions {
  /** Of all names it gives. */
  readonly prefix: string;
  /** Everything may take so many times as long. */
  readonly slowness: number;
  readonly memoryBytes?: number;
  /** What is refused or empty on this platform; its cases are not run. */
  readonly without?: readonly Lacking[];
}

/** How slow the platforms of this process are. */
let slowness = 1;

export function createSuite(openHarness: () => Promise<ProviderHarness>, options: SuiteOptions): Suite {
  slowness = options.slowness;
  let opened: Opened | undefined;

  function now(): Opened {
    if (!opened) throw new Error('the suite is not open');
    return opened;
  }

  const suite: Suite = {
    slowness: options.slowness,
    get harness() {
      return now().harness;
    },
    get drive() {
      return now().drive;
    },
    get ok() {
      return now().ok;
    },
    async open() {
      const harness = await openHarness();
      opened = { harness, drive: createDriver(harness, options.slowness), ok: await sampleBundle('ok') };
    },
    async close() {
      await opened?.drive.close();
      await opened?.ok.remove();
      await opened?.harness.close();
      opened = undefined;
    },
    wish: (application, number, more = {}) =>
      sampleTarget({
        ...{ application, platform: now().harness.platform, number },
        ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
        ...more,
        startTimeoutMs: (more.startTimeoutMs ?? 10_000) * options.slowness,
      }),
    observe: (application) => now().drive.fresh().observe(now().drive.context, application),
    async destroy(application) {
      const { drive } = now();
      await drive.succeed(drive.fresh().destroy(drive.context, application));
    },
    async answers(seen) {
      const all: OriginAnswer[] = [];
      for (const origin of servingOrigins(seen)) all.push(await now().harness.request(origin, '/'));
      return all;
    },
    answeredBy: (application, release) =>
      eventually(async () => {
        const all = await suite.answers(await suite.observe(application));
        if (all.length === 0) throw new Error('no origin serves');
        for (const answer of all) {
          if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.body}`);
          expect(answer.headers['x-release']).toBe(release);
        }
        return all;
      }),
    has(fault) {
      const has = now().harness.faults.includes(fault);
      if (!has) suite.leaveOut();
      return has;
    },
    lacks(what) {
      const lacks = options.without?.includes(what) === true;
      if (lacks) suite.leaveOut();
      return lacks;
    },
    leaveOut() {
      const name = expect.getState().currentTestName ?? '';
      const { leftOut } = now().harness;
      if (leftOut === undefined)
        process.stderr.write(`left out, ${now().harness.platform} has not got it: ${name}\n`);
      else leftOut(name);
    },
    app: (name) => `${options.prefix}-${name}`,
    async during(fault, work) {
      await now().harness.setFault(fault, true);
      try {
        return await work();
      } finally {
        await now().harness.setFault(fault, false);
      }
    },
  };
  return suite;
}

export function running(seen: Observation): Observation['instances'] {
  return seen.instances.filter((instance) => instance.state === 'running');
}

export function runningOf(seen: Observation, release: string): Observation['instances'] {
  return running(seen).filter((instance) => instance.release === release);
}

/** Where an origin is one instance, only those of running instances serve. */
export function servingOrigins(seen: Observation): readonly ObservedOrigin[] {
  const ids = new Set(running(seen).map((instance) => instance.id));
  return seen.origins.filter(
    ({ trial, instance }) => trial !== true && (instance === undefined || ids.has(instance)),
  );
}

/** As above, of what is tried beside. */
export function trialOrigins(seen: Observation): readonly ObservedOrigin[] {
  return seen.origins.filter(({ trial }) => trial === true);
}

/**
 * Sends one request after the other to all that serves, as it stands at that moment, while `work` goes on and a little
 * longer. Every failure is kept.
 */
export async function underTraffic<T>(
  suite: Suite,
  application: string,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly sent: number; readonly failures: readonly string[] }> {
  const failures: string[] = [];
  let sent = 0;
  let stopped = false;

  async function one(origin: ObservedOrigin): Promise<void> {
    sent++;
    const why = await suite.harness.request(origin, '/').then(
      (answer) => (answer.status === 200 ? undefined : `${answer.status} ${answer.body}`),
      (error: unknown) => String(error),
    );
    if (why !== undefined) failures.push(`request ${sent} to ${origin.url}: ${why}`);
  }

  async function send(): Promise<void> {
    while (!stopped) {
      const origins = servingOrigins(await suite.observe(application));
      if (origins.length === 0) failures.push('nothing serves');
      for (let turn = 0; turn < 5 && !stopped; turn++) {
        for (const origin of origins) await one(origin);
        await systemClock.sleep(10);
      }
    }
  }

  const sending = send();
  try {
    const result = await work();
    await systemClock.sleep(100);
    return { result, sent, failures };
  } finally {
    stopped = true;
    await sending;
  }
}

/** Turns the fault on and off, again and again, while `work` goes on; then it is off. */
export async function flapping<T>({ harness }: Suite, fault: Fault, work: () => Promise<T>): Promise<T> {
  let stopped = false;

  async function flap(): Promise<void> {
    while (!stopped) {
      await harness.setFault(fault, true);
      await systemClock.sleep(120);
      await harness.setFault(fault, false);
      await systemClock.sleep(200);
    }
  }

  const flaps = flap();
  try {
    return await work();
  } finally {
    stopped = true;
    await flaps;
  }
}

/** For what platforms promise only "soon": tries until it holds, then gives the last error. */
export async function eventually<T>(attempt: () => Promise<T>, withinMs = 10_000): Promise<T> {
  const deadline = systemClock.monotonic() + withinMs * slowness;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error;
      await systemClock.sleep(50);
    }
  }
}
