import { hasClass } from '../../../src/core/errors.ts';
import type { Clock, Dispose, Random } from '../../../src/core/ports.ts';
import { inBackground } from '../../../src/lib/background.ts';
import { lineSplitter } from '../../../src/runner/line-splitter.ts';
import type { OpenShiftClient } from '../client.ts';
import { VersionForgotten } from '../errors.ts';
import type { Resource } from '../resources.ts';
import type { Thing } from '../wire.ts';
import { Copy } from './copy.ts';
import { readEvent } from './events.ts';
import { BEGIN, type Next, nextStep, WATCH_SECONDS, type WatchInput, type WatchState } from './machine.ts';

const TICK_MS = 1_000;
/** Until what a list shows must have come as an event too. */
const GRACE_MS = 500;
/** One object may be a Secret's megabyte and its managed fields. */
const LONGEST_LINE = 16 * 1_048_576;

export interface KindWatch {
  readonly resource: Resource<Thing>;
  readonly things: ReadonlyMap<string, Thing>;
  /** When all that had happened was known for sure; undefined while it is not being watched. */
  readonly knownAt: number | undefined;
  /** Asks whether anything was missed. False: there was, or nothing is known yet. */
  prove(signal: AbortSignal): Promise<boolean>;
  close(): void;
}

interface KindWatchDeps {
  readonly client: Pick<OpenShiftClient, 'listed' | 'watch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly labelSelector: string;
  readonly changed: (thing: Thing) => void;
}

/** Keeps a copy of all things of one kind up to date: does what the machine says, and tells it what came of it. */
export function watchKind(deps: KindWatchDeps, resource: Resource<Thing>): KindWatch {
  const { client, clock, random, labelSelector } = deps;
  const copy = new Copy<Thing>();
  let state: WatchState = BEGIN.state;
  let knownAt: number | undefined;
  let work = new AbortController();
  let waiting: Dispose = () => undefined;
  let isOver = false;

  function take({ state: next, step }: Next): void {
    state = next;
    if (step.do === 'nothing') return;
    work.abort(new Error('something else is done'));
    waiting();
    const own = new AbortController();
    work = own;
    if (step.do === 'wait') waiting = clock.after(step.ms, () => tell(own, { type: 'tick' }));
    else void inBackground(() => (step.do === 'list' ? list(own) : watch(own, step.version)));
  }

  /** What was begun before the present step has nothing to say any more. */
  function tell(from: AbortController, input: WatchInput): void {
    if (isOver || from !== work) return;
    take(nextStep(state, input, clock.now(), random()));
  }

  async function list(own: AbortController): Promise<void> {
    const askedAt = clock.now();
    try {
      const { items, version } = await client.listed(resource, labelSelector, own.signal);
      if (own !== work || isOver) return;
      knownAt = askedAt;
      for (const thing of copy.replace(items)) deps.changed(thing);
      tell(own, { type: 'listed', version });
    } catch (error) {
      tell(own, inputOf(error));
    }
  }

  async function watch(own: AbortController, version: string): Promise<void> {
    const from = { labelSelector, version, seconds: WATCH_SECONDS };
    try {
      const lines = lineSplitter(LONGEST_LINE);
      for await (const chunk of await client.watch(resource, from, own.signal)) {
        for (const line of lines.feed(chunk)) hear(own, line);
        if (own !== work) return;
      }
      tell(own, { type: 'ended' });
    } catch (error) {
      tell(own, inputOf(error));
    }
  }

  function hear(own: AbortController, line: string): void {
    if (own !== work || isOver) return;
    const event = readEvent(line, resource.schema);
    if (event.type === 'forgotten' || event.type === 'bad') {
      tell(own, { type: event.type === 'bad' ? 'broke' : 'forgotten' });
      return;
    }
    knownAt = clock.now();
    tell(own, { type: 'heard', version: event.version });
    if (event.type === 'bookmark') return;
    if (event.type === 'put') copy.put(event.object);
    else copy.drop(event.object);
    deps.changed(event.object);
  }

  const ticking = clock.every(TICK_MS, () => tell(work, { type: 'tick' }));
  take(BEGIN);

  return {
    resource,
    get things() {
      return copy.things;
    },
    get knownAt() {
      return state.phase === 'watching' ? knownAt : undefined;
    },
    async prove(signal) {
      if (state.phase !== 'watching') return false;
      const [askedAt, turn, proven] = [clock.now(), copy.turn, work];
      const { items } = await client.listed(resource, labelSelector, signal);
      if (copy.isBehind(items, turn)) {
        await clock.sleep(GRACE_MS, signal);
        if (copy.isBehind(items, turn)) {
          tell(proven, { type: 'doubted' });
          return false;
        }
      }
      // What another list found meanwhile may be newer.
      if (!isOver) knownAt = Math.max(knownAt ?? askedAt, askedAt);
      return true;
    },
    close() {
      isOver = true;
      ticking();
      waiting();
      work.abort(new Error('closed'));
    },
  };
}

function inputOf(error: unknown): WatchInput {
  if (error instanceof VersionForgotten) return { type: 'forgotten' };
  return { type: hasClass(error, 'forbidden', 'unsupported', 'notFound') ? 'refused' : 'broke' };
}
