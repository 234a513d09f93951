import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';

export interface ForwarderOptions {
  /** Idle upstream connections are kept this long; 0 (the default) opens one a request. */
  readonly keepAliveMs?: number;
  /** Milliseconds without a byte from upstream before the exchange is given up; default none. */
  readonly timeoutMs?: number;
  /** Added to each request sent upstream. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends `X-Forwarded-For/Proto/Port/Host`; default false. */
  readonly forwardedHeaders?: boolean;
  /** Answers when upstream cannot be reached. Default: a bare 502. */
  readonly onError?: (error: Error, request: IncomingMessage, response: ServerResponse) => void;
  /** Sees each upstream answer before its head is passed on, and may change its headers. */
  readonly onResponse?: (
    upstream: IncomingMessage,
    request: IncomingMessage,
    response: ServerResponse,
  ) => void;
}

export interface UpgradeOptions {
  /** Sent upstream instead of the client's; `Connection` and `Upgrade` belong in it. */
  readonly headers?: OutgoingHttpHeaders;
  /** Stands already, with `allowHalfOpen`. The library ends the client when a dial fails: who has a choice dials first. */
  readonly connection?: Socket;
  /** Upstream failed before it answered, and the client has been told nothing yet. Default: a bare 502. */
  readonly onError?: (error: Error) => void;
  /** Both sides are piped into each other. Who wants to hold bytes back on their way pipes them anew. */
  readonly onTunnel?: (upstream: Duplex) => void;
}

export interface Forwarder {
  /** `target` is `http://127.0.0.1:8080`: no path. */
  web(request: IncomingMessage, response: ServerResponse, target: string): void;
  /** Any protocol; whether it may be switched to is the caller's question. */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target: string,
    options?: UpgradeOptions,
  ): void;
  /** Closes idle upstream connections; running exchanges finish. */
  close(): void;
}

/**
 * http-proxy 1.18.1 with its faults mended:
 * - a client that goes away took nothing with it: the upstream request stayed open for ever;
 * - its pass `deleteLength` dropped the framing of a chunked DELETE or OPTIONS and sent the body all the same, which
 *   the origin then read as a second request of the attacker's choosing;
 * - an upstream that dies in the middle of a body left the client waiting instead of cutting it off;
 * - errors of a client's socket before its upgrade was answered had no listener and ended the process;
 * - a tunnel outlived its client when that was destroyed without an error, and an error of its upstream was reported as
 *   if nothing had been answered yet, so that the answer to it went into the tunnel;
 * - paths lost doubled slashes.
 */
export function createForwarder(options: ForwarderOptions = {}): Forwarder {
  const keepAlive = (options.keepAliveMs ?? 0) > 0;
  // Both halves of a tunnel close on their own: `allowHalfOpen` reaches net.connect through the agent.
  const agentOptions = {
    keepAlive,
    ...(keepAlive && options.keepAliveMs !== undefined ? { timeout: options.keepAliveMs } : {}),
    allowHalfOpen: true,
  };
  const plain = new http.Agent(agentOptions);
  const secure = new https.Agent(agentOptions);

  const proxy = httpProxy.createProxyServer({
    xfwd: options.forwardedHeaders ?? false,
    // Sends `request.url` as it came instead of what url.parse makes of it.
    toProxy: true,
    ...(options.timeoutMs === undefined ? {} : { proxyTimeout: options.timeoutMs }),
    ...(options.headers === undefined ? {} : { headers: { ...options.headers } }),
  });
  dropPass(proxy, 'webPasses', 'deleteLength');
  // Lets only WebSockets through, and cuts all others off without a word.
  dropPass(proxy, 'wsPasses', 'checkMethodAndHeader');
  const upgrades = new WeakMap<Duplex, UpgradeOptions>();
  const tunnels = new WeakMap<Duplex, (upstream: Duplex) => void>();

  proxy.on('proxyReq', (upstream, request, response) => {
    // The library joins path segments and collapses slashes on the way; the target belongs to the client.
    upstream.path = request.url ?? '/';
    // How long this connection lives is between us and upstream, and no matter of the client's.
    upstream.setHeader('connection', keepAlive ? 'keep-alive' : 'close');
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
  });
  proxy.on('proxyReqWs', (upstream, request, socket) => {
    upstream.path = request.url ?? '/';
    socket.on('close', () => upstream.destroy());
    refuseUpgradeInOneMessage(upstream, socket);
    const { headers, onTunnel } = upgrades.get(socket) ?? {};
    if (headers !== undefined) {
      for (const name of upstream.getHeaderNames()) upstream.removeHeader(name);
      for (const [name, value] of Object.entries(headers)) {
        if (value !== undefined) upstream.setHeader(name, value);
      }
    }
    upstream.on('upgrade', (_answer, tunnel) => {
      endTogether(socket, tunnel);
      if (onTunnel !== undefined) tunnels.set(tunnel, onTunnel);
    });
  });
  proxy.on('open', (tunnel) => tunnels.get(tunnel)?.(tunnel));
  proxy.on('proxyRes', (upstream, request, response) => {
    upstream.on('close', () => {
      if (!upstream.complete) response.destroy();
    });
    // Nor the other way round: the library then tells the client what it asked for.
    delete upstream.headers.connection;
    delete upstream.headers['keep-alive'];
    options.onResponse?.(upstream, request, response);
  });

  function web(request: IncomingMessage, response: ServerResponse, target: string): void {
    // The server has answered it already; upstream must not be asked to do so a second time.
    delete request.headers.expect;
    proxy.web(request, response, { target, agent: agentFor(target) }, (error) => {
      if (options.onError !== undefined && !response.headersSent) options.onError(error, request, response);
      else fail(response);
    });
  }

  function upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target: string,
    own: UpgradeOptions = {},
  ): void {
    upgrades.set(socket, own);
    socket.on('error', () => socket.destroy());
    // Nobody reads it before the switch, and who does not read does not learn that the client has gone.
    socket.read(0);
    const agent = own.connection === undefined ? agentFor(target) : agentOf(own.connection);
    // The types ask for a net.Socket; any duplex that is one in fact comes from a server's `upgrade` event.
    const client = socket as Socket;
    const writtenBefore = client.bytesWritten;
    proxy.ws(request, client, head, { target, agent }, (error) => {
      if (socket.destroyed) return;
      // In a tunnel, or in the middle of a refusal, every further word would be taken for a part of it.
      if (client.bytesWritten > writtenBefore) socket.destroy();
      else if (own.onError !== undefined) own.onError(error);
      else socket.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    });
  }

  function agentFor(target: string): http.Agent {
    return target.startsWith('https:') ? secure : plain;
  }

  return {
    web,
    upgrade,
    close() {
      // Not `agent.destroy()`: that would cut the running exchanges too.
      closeIdle(plain);
      closeIdle(secure);
    },
  };
}

function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** For one request, on this connection. */
function agentOf(connection: Socket): http.Agent {
  const agent = new http.Agent({ keepAlive: false });
  // Part of the documented interface of http.Agent; only the types leave it out.
  return Object.assign(agent, { createConnection: () => connection });
}

/** When one side is gone without an end, nothing tells the other. What was ended may still be on its way out. */
function endTogether(client: Duplex, upstream: Duplex): void {
  client.on('close', () => upstream.writableEnded || upstream.destroy());
  upstream.on('close', () => client.writableEnded || client.destroy());
}

function dropPass(proxy: httpProxy, kind: 'webPasses' | 'wsPasses', name: string): void {
  // What the constructor builds per instance; the published types do not mention it.
  const inner = proxy as unknown as Record<typeof kind, readonly { readonly name: string }[]>;
  inner[kind] = inner[kind].filter((pass) => pass.name !== name);
}

/**
 * An upgrade that upstream refuses is answered with its own status and body, then closed. The library copies the
 * head as it is and pipes a body it has already de-chunked, so the client would wait for chunks that never come.
 */
function refuseUpgradeInOneMessage(upstream: http.ClientRequest, socket: Duplex): void {
  upstream.prependListener('response', (answer: IncomingMessage) => {
    const headers: OutgoingHttpHeaders = answer.headers;
    delete headers['transfer-encoding'];
    delete headers['keep-alive'];
    headers['connection'] = 'close';
    answer.on('close', () => {
      if (!answer.complete) socket.destroy();
    });
  });
}

function fail(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(502, { 'content-type': 'text/plain' }).end('bad gateway\n');
}
