import type { ProxyName } from './drill-options.ts';
import type { Contender } from './proxies/contender.ts';
import { haproxy } from './proxies/haproxy.ts';
import { nginx } from './proxies/nginx.ts';
import { sluice } from './proxies/sluice.ts';

export const PROXIES: Readonly<Record<ProxyName, Contender>> = { sluice, nginx, haproxy };
