/**
 * What to do next about one watch, decided from what came of the last step. Pure: time and chance are arguments.
 *
 * A list says how things are and in which version; the watch goes on from there and is begun again, from the newest
 * version heard of, whenever it ends. Only a version that the server has forgotten (410) costs another list.
 */

/** The server ends a watch after this long; a bookmark shortly before says how far it came. */
export const WATCH_SECONDS = 50;
/** Longer than a watch lasts: one that is still open by then leads nowhere, whatever the connection says. */
export const SILENT_MS = 65_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** What we may not watch today we may hardly watch in a moment. */
const REFUSED_WAIT_MS = 5 * 60_000;
/** One that ended sooner did not work, however politely it ended. */
const SHORT_MS = 1_000;

export type WatchState =
  | { readonly phase: 'listing'; readonly failures: number }
  | {
      readonly phase: 'watching';
      readonly version: string;
      readonly begunAt: number;
      readonly heardAt: number;
      readonly failures: number;
    }
  | {
      readonly phase: 'waiting';
      /** Where to go on; undefined: with a list. */
      readonly version: string | undefined;
      readonly until: number;
      readonly failures: number;
    };

export type WatchInput =
  | { readonly type: 'listed'; readonly version: string }
  /** Of an object or a bookmark. */
  | { readonly type: 'heard'; readonly version: string }
  /** The end of the stream, as agreed. */
  | { readonly type: 'ended' }
  /** The connection broke, or an answer was no good. */
  | { readonly type: 'broke' }
  /** 410: as the answer's status, or as an event in the stream. */
  | { readonly type: 'forgotten' }
  /** We may not, or the kind is not there. */
  | { readonly type: 'refused' }
  /** Somebody found out that it misses what happens. */
  | { readonly type: 'doubted' }
  | { readonly type: 'tick' };

export type WatchStep =
  | { readonly do: 'list' }
  | { readonly do: 'watch'; readonly version: string }
  /** Until then at most: a tick may come earlier. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'nothing' };

export interface Next {
  readonly state: WatchState;
  /** Begins something new; what was under way is dropped. */
  readonly step: WatchStep;
}

export const BEGIN: Next = { state: { phase: 'listing', failures: 0 }, step: { do: 'list' } };

export function nextStep(state: WatchState, input: WatchInput, now: number, random: number): Next {
  switch (input.type) {
    case 'listed':
      return watchFrom(input.version, now, state.failures);
    case 'heard': {
      if (state.phase !== 'watching') return stay(state);
      return stay({ ...state, version: input.version, heardAt: now, failures: 0 });
    }
    case 'ended': {
      const tooSoon = state.phase === 'watching' && now - state.begunAt < SHORT_MS;
      return state.phase === 'watching' && !tooSoon
        ? watchFrom(state.version, now, 0)
        : wait(versionOf(state), state.failures, now, random);
    }
    case 'broke':
      return wait(versionOf(state), state.failures, now, random);
    case 'forgotten':
      // At once the first time; a server that forgets what it just listed is not well.
      return state.failures === 0 ? list(1) : wait(undefined, state.failures, now, random);
    case 'refused':
      return waitFor(REFUSED_WAIT_MS, undefined, state.failures, now);
    case 'doubted':
      return list(0);
    case 'tick':
      return tick(state, now);
  }
}

function tick(state: WatchState, now: number): Next {
  if (state.phase === 'watching' && now - state.heardAt >= SILENT_MS)
    return watchFrom(state.version, now, state.failures);
  if (state.phase === 'waiting' && now >= state.until)
    return state.version === undefined ? list(state.failures) : watchFrom(state.version, now, state.failures);
  return stay(state);
}

function list(failures: number): Next {
  return { state: { phase: 'listing', failures }, step: { do: 'list' } };
}

function watchFrom(version: string, now: number, failures: number): Next {
  return {
    state: { phase: 'watching', version, begunAt: now, heardAt: now, failures },
    step: { do: 'watch', version },
  };
}

function wait(version: string | undefined, failures: number, now: number, random: number): Next {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  return waitFor(ceiling / 2 + (random * ceiling) / 2, version, failures, now);
}

function waitFor(ms: number, version: string | undefined, failures: number, now: number): Next {
  return {
    state: { phase: 'waiting', version, until: now + ms, failures: failures + 1 },
    step: { do: 'wait', ms },
  };
}

function stay(state: WatchState): Next {
  return { state, step: { do: 'nothing' } };
}

function versionOf(state: WatchState): string | undefined {
  return state.phase === 'listing' ? undefined : state.version;
}
