import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { formatError } from '../../../src/cli/print-error.ts';
import type { DeploymentRecord } from '../../../src/core/deployment.ts';
import type { DeploymentPhase, LoggedEvent } from '../../../src/core/events.ts';
import type { ReleaseId } from '../../../src/core/ids.ts';
import type { Clock } from '../../../src/core/ports.ts';
import type { Bundle, PlatformProvider } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { bundleFolder } from '../../../src/orchestrator/bundle.ts';
import { type SampleVariant, sampleBundle } from '../../support/sample-app.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import { EXPECTED, type Kind, MISDEEDS, type Misdeed, type Outcome } from './expected.ts';
import { createWorld, type World } from './world.ts';

/** How a platform is made to misbehave while the second release is brought to it. */
export interface Injection {
  /** Before the deployment begins. */
  readonly before?: (application: string) => Promise<void> | void;
  /** When it first reaches a phase. */
  readonly at?: Partial<Record<DeploymentPhase, (application: string) => Promise<void> | void>>;
  /** What must hold besides, when all is over. */
  readonly holds?: (world: World) => Promise<void>;
  /** What the second release does; `ok` by default. */
  readonly variant?: SampleVariant;
  readonly startTimeoutMs?: number;
  /** How many times as fast the orchestrator's and the provider's time goes; 1 by default. */
  readonly factor?: number;
}

export interface FaultHarness {
  provider(clock: Clock): PlatformProvider;
  readonly injections: Partial<Record<Misdeed, Injection>>;
  /** What is still wrong; of faults that end by themselves those that hit nothing yet. */
  active(): Promise<readonly string[]> | readonly string[];
  /** Nothing is wrong any more. */
  calm(): Promise<void> | void;
  close(): Promise<void>;
}

const CASE_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
/** The one that all cases deploy. */
export const APPLICATION = 'fault';
/** Names of faults that end by themselves when they have hit. */
const PASSING = /-(once|thrice)$/;

type Bundles = Record<SampleVariant, Bundle & { remove(): Promise<void> }>;

/**
 * One release serves, a second is deployed while the platform misbehaves: the end is the documented one, clients of the
 * first release notice nothing, and a person is shown the platform's own words.
 */
export function faultMatrix(kind: Kind, open: () => Promise<FaultHarness>): void {
  describe(`what happens when ${kind} misbehaves`, () => {
    const report: string[] = [];
    const clock = scaledClock();
    let harness: FaultHarness;
    let bundles: Bundles;
    let world: World;
    /** What serves when a case begins: the last release that came up. */
    let serving: ReleaseId;

    beforeAll(async () => {
      harness = await open();
      bundles = { ok: await packed('ok'), crashes: await packed('crashes'), silent: await packed('silent') };
      world = await createWorld({ application: APPLICATION, clock, provider: harness.provider(clock) });
      const wish = { bundle: bundles.ok, startTimeoutMs: START_TIMEOUT_MS };
      const first = await world.deploy({ ...wish, greeting: 'the first' });
      expect(first.outcome).toBe('done');
      serving = first.release.id;
    }, CASE_MS);

    afterAll(async () => {
      await world.close();
      await harness.close();
      for (const bundle of Object.values(bundles)) await bundle.remove();
      process.stdout.write(`${report.join('\n')}\n`);
    }, CASE_MS);

    for (const misdeed of Object.keys(MISDEEDS).filter(isMisdeed)) {
      const expected = EXPECTED[misdeed][kind];
      if (expected.end === 'n/a') {
        it(`${misdeed}: n/a, ${expected.text}`, () => {
          expect(harness.injections[misdeed]).toBeUndefined();
          report.push(lineOf(kind, misdeed, 'n/a', undefined));
        });
        continue;
      }
      it(
        `${misdeed}: ${expected.end === 'live' ? 'the new release serves' : expected.code}`,
        async () => {
          const injection = harness.injections[misdeed];
          if (!injection) throw new Error(`nothing makes ${kind} misbehave so: ${misdeed}`);
          clock.run(injection.factor ?? 1);
          try {
            const ms = await misbehave(misdeed, injection, expected);
            report.push(lineOf(kind, misdeed, expected.end === 'live' ? 'live' : expected.code, ms));
          } finally {
            clock.run(1);
            await harness.calm();
          }
        },
        CASE_MS,
      );
    }

    async function misbehave(
      misdeed: Misdeed,
      injection: Injection,
      expected: Exclude<Outcome, { end: 'n/a' }>,
    ): Promise<number> {
      const before = serving;
      const clients = await world.clients();
      await injection.before?.(APPLICATION);
      const events: LoggedEvent[] = [];
      const reached = new Set<DeploymentPhase>();
      const acts: (Promise<void> | void)[] = [];
      const began = systemClock.monotonic();
      const record = await world.deploy({
        bundle: bundles[injection.variant ?? 'ok'],
        greeting: misdeed,
        startTimeoutMs: injection.startTimeoutMs ?? START_TIMEOUT_MS,
        onEvent(event) {
          events.push(event);
          if (event.type !== 'deployment.progress' || reached.has(event.phase)) return;
          reached.add(event.phase);
          acts.push(injection.at?.[event.phase]?.(APPLICATION));
        },
      });
      const ms = Math.round(systemClock.monotonic() - began);
      await Promise.all(acts);
      // Whatever the misdeed left behind would show itself a moment later.
      await systemClock.sleep(150);
      await clients.stop();

      expect((await harness.active()).filter((fault) => PASSING.test(fault))).toEqual([]);
      const told = events.map((event) => JSON.stringify(event)).join('\n');
      expectEnd(record, expected, told, before);
      expect(clients.failures).toEqual([]);
      expect(clients.answeredBy.length).toBeGreaterThan(5);
      const releases = new Set(clients.answeredBy);
      if (expected.end === 'live') {
        serving = record.release.id;
        releases.delete(before);
        expect([...releases]).toEqual([record.release.id]);
        expect(clients.answeredBy.at(-1)).toBe(record.release.id);
      } else {
        expect([...releases]).toEqual([before]);
        expect((await world.observe()).serving).toBe(before);
      }
      await injection.holds?.(world);
      return ms;
    }
  });
}

function expectEnd(
  record: DeploymentRecord,
  expected: Exclude<Outcome, { end: 'n/a' }>,
  told: string,
  before: string,
): void {
  const [target] = Object.values(record.targets);
  const error = target?.error;
  if (expected.end === 'live') {
    expect({ outcome: record.outcome, error }).toEqual({ outcome: 'done', error: undefined });
    if (expected.said) expect(told).toMatch(expected.said);
    return;
  }
  expect({ outcome: record.outcome, code: error?.code }).toEqual({ outcome: 'failed', code: expected.code });
  expect(record.release.id).not.toBe(before);
  expect(error?.remedy).toBeTruthy();
  expect(error ? formatError(error) : '').toMatch(expected.said);
}

async function packed(variant: SampleVariant): Promise<Bundle & { remove(): Promise<void> }> {
  const sample = await sampleBundle(variant, { 'ballast.bin': BALLAST });
  return { ...(await bundleFolder(sample.root)), remove: sample.remove };
}

/** Large enough that an upload can be cut in its middle, and not to be compressed. */
const BALLAST = Buffer.from(
  Array.from({ length: 400_000 }, (_, i) => (Math.imul(i ^ (i >>> 7), 2_654_435_761) >>> 13) & 255),
);

function isMisdeed(text: string): text is Misdeed {
  return Object.hasOwn(MISDEEDS, text);
}

function lineOf(kind: Kind, misdeed: Misdeed, end: string, ms: number | undefined): string {
  const time = ms === undefined ? '' : `${ms} ms`;
  return `${kind.padEnd(13)} ${misdeed.padEnd(24)} ${end.padEnd(20)} ${time}`.trimEnd();
}
