import type { Random } from '../core/ports.ts';
import { CLOSED } from './gate.ts';
import type { Lane } from './lane.ts';
import type { CompiledRoute, CompiledTarget } from './routes.ts';

export interface Candidate {
  readonly target: CompiledTarget;
  readonly lane: Lane;
}

export interface AttemptWish {
  readonly now: number;
  readonly replayable: boolean;
  /** Where this request has been already. */
  readonly tried: readonly Lane[];
}

/**
 * Where the next attempt of a request goes. The first goes by share; the following in the order of the table, spares
 * last. When nobody is left whose gate is open to us, an ejected origin is better than no answer: ours may be the
 * first request since it came back. Not a stalled one: there the request would only hang. And not while a sound one is
 * merely full: it is worth waiting for.
 */
export function nextAttempt(route: CompiledRoute, wish: AttemptWish, random: Random): Candidate | undefined {
  return (
    soundAttempt(route, wish, random) ??
    (isWorthWaiting(route, wish) ? undefined : inOrder(route, wish, isLastResort))
  );
}

/** The same among those whose gate is open to us. */
export function soundAttempt(route: CompiledRoute, wish: AttemptWish, random: Random): Candidate | undefined {
  const first = wish.tried.length === 0;
  return (
    (first ? byShare(route, wish, random) : undefined) ??
    inOrder(route, wish, isClosed) ??
    inOrder(route, wish, isOpenToUs)
  );
}

/** A place may become free for this request. Nobody waits for an ejected origin, or behind its trial. */
export function isWorthWaiting(route: CompiledRoute, { tried }: Pick<AttemptWish, 'tried'>): boolean {
  for (const { lanes } of route.targets) {
    for (const lane of lanes) if (lane.gate.isFull && !tried.includes(lane)) return true;
  }
  return false;
}

type Usable = (lane: Lane, wish: AttemptWish) => boolean;

function isClosed(lane: Lane, wish: AttemptWish): boolean {
  return lane.gate.state === CLOSED && lane.gate.admits(wish.now, wish.replayable) === 'yes';
}

function isOpenToUs(lane: Lane, wish: AttemptWish): boolean {
  return lane.gate.admits(wish.now, wish.replayable) !== 'no';
}

function isLastResort(lane: Lane): boolean {
  return lane.gate.state !== CLOSED && lane.gate.reason !== 'stall' && lane.gate.belowCap;
}

/**
 * Shares of targets that cannot serve fall to the others in proportion: whoever is drawn can serve as a rule, and if
 * not, drawing again among those who can leaves their proportions as they are.
 */
function byShare(route: CompiledRoute, wish: AttemptWish, random: Random): Candidate | undefined {
  const drawn = draw(route, undefined, random);
  if (drawn === undefined) return undefined;
  const lane = leastBusy(drawn, wish, isOpenToUs, random);
  if (lane !== undefined) return { target: drawn, lane };
  const target = draw(route, wish, random);
  const other = target && leastBusy(target, wish, isOpenToUs, random);
  return target === undefined || other === undefined ? undefined : { target, lane: other };
}

/** One of those with a share, and, with a wish, of those that can serve it. */
function draw(
  route: CompiledRoute,
  wish: AttemptWish | undefined,
  random: Random,
): CompiledTarget | undefined {
  let total = 0;
  for (const target of route.targets) if (takesPart(target, wish)) total += target.share;
  if (total === 0) return undefined;
  let left = random() * total;
  let last: CompiledTarget | undefined;
  for (const target of route.targets) {
    if (!takesPart(target, wish)) continue;
    last = target;
    left -= target.share;
    if (left < 0) break;
  }
  return last;
}

function takesPart(target: CompiledTarget, wish: AttemptWish | undefined): boolean {
  return target.share > 0 && target.active && (wish === undefined || canServe(target, wish));
}

function canServe(target: CompiledTarget, wish: AttemptWish): boolean {
  for (const lane of target.lanes) {
    if (isOpenToUs(lane, wish)) return true;
  }
  return false;
}

function inOrder(route: CompiledRoute, wish: AttemptWish, usable: Usable): Candidate | undefined {
  for (const target of route.targets) {
    const lane = leastBusy(target, wish, usable, undefined);
    if (lane !== undefined) return { target, lane };
  }
  return undefined;
}

/** The origin with the fewest requests in flight; between equals by lot, so that none is always first. */
function leastBusy(
  target: CompiledTarget,
  wish: AttemptWish,
  usable: Usable,
  random: Random | undefined,
): Lane | undefined {
  let best: Lane | undefined;
  let equals = 0;
  for (const lane of target.lanes) {
    if (!usable(lane, wish) || (wish.tried.length > 0 && wish.tried.includes(lane))) continue;
    if (best === undefined || lane.gate.inFlight < best.gate.inFlight) {
      best = lane;
      equals = 1;
    } else if (lane.gate.inFlight === best.gate.inFlight) {
      equals += 1;
      if (random !== undefined && random() * equals < 1) best = lane;
    }
  }
  return best;
}
