import type { Contender } from './contender.ts';
import { httpProxy } from './proxies/http-proxy.ts';
import { nginx } from './proxies/nginx.ts';
import { sluice } from './proxies/sluice.ts';

/** Everybody who is measured, in the order of the report. One that is missing on this machine is left out and named. */
export const PROXIES: readonly Contender[] = [sluice, httpProxy, nginx];
