import type { ProxyName } from './contender.ts';
import type { WorkKey } from './works.ts';

/** What the gateway wants to reach, and what it must keep: a missed limit fails the bench, a missed target only shows. */
export type Limit =
  /** CPU time of a request in the gateway's worker, as a multiple of the same in a peer. */
  | {
      readonly measure: 'cpu';
      readonly over: ProxyName;
      readonly target: number | undefined;
      readonly atMost: number;
    }
  /** Resident memory of one worker, in units of 10⁶ bytes. */
  | { readonly measure: 'memory'; readonly target: number; readonly atMost: number };

export const LIMITS: Readonly<Partial<Record<WorkKey, readonly Limit[]>>> = {
  small: [
    { measure: 'cpu', over: 'nginx', target: 1.1, atMost: 1.25 },
    { measure: 'cpu', over: 'http-proxy', target: undefined, atMost: 0.35 },
  ],
  'access-log': [{ measure: 'cpu', over: 'nginx', target: 1.2, atMost: 1.35 }],
  many: [{ measure: 'cpu', over: 'nginx', target: 1.2, atMost: 1.4 }],
  large: [{ measure: 'cpu', over: 'nginx', target: 0.95, atMost: 1.1 }],
  'tls-upstream': [{ measure: 'cpu', over: 'nginx', target: 1.1, atMost: 1.25 }],
  tls: [{ measure: 'cpu', over: 'nginx', target: 1.2, atMost: 1.5 }],
  http2: [{ measure: 'cpu', over: 'nginx', target: 1.2, atMost: 1.6 }],
  idle: [{ measure: 'memory', target: 120, atMost: 150 }],
};
