import http from 'node:http';
import https from 'node:https';
import proxyLibrary from 'http-proxy';
import { ca, listen, nextOrigin } from './common.mjs';

/** The library as its own documentation shows it, with what makes the comparison fair: keep-alive and X-Forwarded-*. */
const agent =
  ca === undefined ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true, ca });
const proxy = proxyLibrary.createProxyServer({ agent, xfwd: true });
// The load counts an answer that is missing or wrong as an error, and an error ends the measurement.
proxy.on('error', (error, _request, response) => {
  process.stderr.write(`${error.message}\n`);
  response.destroy();
});

listen((request, response) => proxy.web(request, response, { target: nextOrigin() }));
