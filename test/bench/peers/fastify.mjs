import proxyPlugin from '@fastify/http-proxy';
import fastify from 'fastify';
import { announce, ca, nextOrigin, origins, tls } from './common.mjs';

/** The plugin as its documentation shows it; forwarded headers are the user's to add. */
const server = fastify({ ...(tls === undefined ? {} : { https: tls }), keepAliveTimeout: 60_000 });
await server.register(proxyPlugin, {
  // With an empty upstream each request is asked for its own.
  upstream: '',
  undici: { connections: 512, ...(ca === undefined ? {} : { connect: { ca } }) },
  replyOptions: {
    getUpstream: () => nextOrigin(),
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      host: request.headers.host,
      'x-forwarded-for': request.ip,
      'x-forwarded-proto': request.protocol,
      'x-forwarded-host': request.headers.host,
      via: '1.1 bench',
    }),
  },
});
if (origins.length === 0) throw new Error('no origin');
await server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
announce(server.server.address().port);
