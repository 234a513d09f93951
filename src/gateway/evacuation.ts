import type { Exchange } from './exchange.ts';
import type { OriginState } from './lane.ts';

/** Each opens a connection as a rule: so many hold the others up for some milliseconds. */
const AT_ONCE = 50;

/**
 * Has those of `exchanges` that wait at `origin` go elsewhere, a part of them each time round the event loop. Were it
 * all of a thousand at once, the first would be answered no sooner than a connection was opened for the last. Whoever
 * has not had its turn waits on where it is, and may yet be answered there; but all count as failed at once, for
 * what is counted later would speak against the origin anew.
 */
export function evacuate(exchanges: readonly Exchange[], origin: OriginState): void {
  const waiting = exchanges.filter((exchange) => isAt(exchange, origin));
  for (const exchange of waiting.slice(AT_ONCE)) exchange.giveUpOn();
  moveSome(waiting, origin);
}

function moveSome(waiting: readonly Exchange[], origin: OriginState): void {
  for (const exchange of waiting.slice(0, AT_ONCE)) if (isAt(exchange, origin)) exchange.evacuate();
  const others = waiting.slice(AT_ONCE);
  if (others.length > 0) setImmediate(() => moveSome(others, origin));
}

function isAt({ attempt }: Exchange, origin: OriginState): boolean {
  return attempt?.lane.origin === origin;
}
