import type { Contender } from './contender.ts';
import { direct } from './proxies/direct.ts';
import { haproxy } from './proxies/haproxy.ts';
import { nginx } from './proxies/nginx.ts';
import { nodePeer } from './proxies/node-peer.ts';
import { sluice } from './proxies/sluice.ts';

/** Everybody who is measured. One that is missing on this machine is left out and named. */
export const PROXIES: readonly Contender[] = [
  sluice,
  nginx,
  haproxy,
  nodePeer('http-proxy', ['http-proxy']),
  nodePeer('fastify', ['fastify', '@fastify/http-proxy']),
  nodePeer('undici', ['undici']),
  direct,
];
