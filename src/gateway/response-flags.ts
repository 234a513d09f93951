import type { Failure } from './wire.ts';

/**
 * Why a request ended as it did, in short codes after Envoy's: one bit each, so that a request carries a number. The
 * table is the list in docs/operating.md, of the metric's labels and of the access log.
 */
export const RESPONSE_FLAGS = {
  NR: 'no route leads there',
  UH: 'no origin of the route can serve',
  UO: 'every origin is full, or too many wait already',
  UF: 'no connection to an origin (refused, reset, timed out, TLS)',
  UR: 'the origin closed the connection before its answer was whole',
  UT: 'the origin did not answer, or stood still, for too long',
  UPE: "the origin's answer is not valid HTTP",
  URX: 'no room in the retry budget',
  RP: 'the request was sent again',
  EV: 'the request was taken off an origin that was ejected or had stalled',
  OM: 'there is no capacity for it: shed by the policy',
  NW: 'unsafe, and nobody takes writes',
  RL: 'over the rate limit of its client',
  AM: 'the platform that the client belonged to cannot serve it any more',
  LD: 'the request had been here already',
  BL: 'the request body is over the limit',
  DC: 'the client closed the connection before the answer was whole',
  DT: 'the client stood still for too long',
  DPE: 'the request is not valid HTTP, or asks for something that is not served',
  SD: 'cut off because the gateway stopped or the origin was taken out of use',
} as const satisfies Record<string, string>;

export type ResponseFlag = keyof typeof RESPONSE_FLAGS;

export const FLAG_NAMES = Object.keys(RESPONSE_FLAGS) as readonly ResponseFlag[];

/** The bit of each. */
export const FLAG: Readonly<Record<ResponseFlag, number>> = Object.fromEntries(
  FLAG_NAMES.map((name, index) => [name, 1 << index]),
) as Record<ResponseFlag, number>;

/** What a failure that ended the request is told as. */
export function flagOf(failure: Failure): number {
  switch (failure.class) {
    case 'reset':
      return FLAG.UR;
    case 'protocol':
      return FLAG.UPE;
    case 'unsendable':
      return FLAG.DPE;
    default:
      return FLAG.UF;
  }
}

const texts = new Map<number, string>([[0, '']]);

/** `UF,RP`, in the order of the table; empty when nothing is to be said. */
export function flagsText(flags: number): string {
  let text = texts.get(flags);
  if (text === undefined) {
    text = FLAG_NAMES.filter((name) => (flags & FLAG[name]) !== 0).join(',');
    texts.set(flags, text);
  }
  return text;
}
