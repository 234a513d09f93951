import net, { type LookupFunction } from 'node:net';
import { Client } from 'undici';
import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { GatewaySettings, HealthSettings } from '../core/settings.ts';
import { createSteadyLookup } from '../lib/steady-lookup.ts';
import { createTrust, type TrustOptions } from '../lib/tls-trust.ts';
import { classifyAnswer, classifyError, type ProbeAnswer } from './classify.ts';

/** Where a probe goes. `ObservedOrigin` fits too. */
export interface ProbeTarget {
  /** `http://127.0.0.1:8080`; no path. */
  readonly url: string;
  /** The Host the platform routes by; undefined: the origin's own. */
  readonly hostHeader: string | undefined;
  readonly sni?: string | undefined;
  /** PEM of authorities to trust besides the well-known ones. */
  readonly ca?: string;
  /** Whose settings of TLS hold; undefined: nobody's. */
  readonly platform?: PlatformName;
}

export interface ProbeResult {
  readonly probe: 'http' | 'tcp';
  readonly ok: boolean;
  /** As in `ProbeSignal`. */
  readonly detail: string;
  readonly latencyMs: number;
  readonly release?: ReleaseId;
}

/** Never rejects: a failure is an answer. */
export type Probe = (target: ProbeTarget, health: HealthSettings) => Promise<ProbeResult>;

/**
 * Not `HTTP-Monitor/1.1`: Cloud Foundry's router answers that one itself, and we would probe the router instead of
 * the application.
 */
const USER_AGENT = 'sluice-probe';
/** A release is named near the beginning; nobody's health page is longer. */
const BODY_LIMIT = 65_536;

export interface ProbeDeps {
  readonly clock: Clock;
  /** What the gateway's settings say of TLS now: a probe is to see what a request would. */
  readonly upstreamTls?: () => GatewaySettings['upstreamTls'];
}

/** What is looked up once for all connections of a probe. */
interface Connecting extends TrustOptions {
  readonly lookup: LookupFunction;
  readonly servername?: string;
}

/** HTTP where the health rule has a path, else TCP. */
export function createProbe(deps: ProbeDeps): Probe {
  const trust = createTrust();
  const lookup = createSteadyLookup();
  return function probe(target, health) {
    if (health.path === undefined) return probeTcp(deps.clock, target, health, lookup);
    const { ca, sni, platform } = target;
    const tls = platform === undefined ? undefined : deps.upstreamTls?.()?.[platform];
    const connecting = { lookup, ...trust({ ca, tls }), ...(sni === undefined ? {} : { servername: sni }) };
    return probeHttp(deps.clock, connecting, target, health, health.path);
  };
}

/**
 * On a connection of its own each time: one kept from before would not notice that the router no longer accepts
 * new ones, and a frozen router accepts and says nothing, which only the timeout tells.
 */
async function probeHttp(
  clock: Clock,
  connecting: Connecting,
  target: ProbeTarget,
  health: HealthSettings,
  path: string,
): Promise<ProbeResult> {
  const begun = clock.monotonic();
  const client = new Client(target.url, {
    connect: { ...connecting },
    maxHeaderSize: 16_384,
  });
  const abort = new AbortController();
  const expire = clock.after(health.timeoutMs, () => abort.abort(new Error('timeout')));
  try {
    const answer = await ask(client, path, target, health, abort.signal);
    return { probe: 'http', ...classifyAnswer(answer, health), latencyMs: clock.monotonic() - begun };
  } catch (error) {
    const detail = abort.signal.aborted ? 'timeout' : classifyError(error);
    return { probe: 'http', ok: false, detail, latencyMs: clock.monotonic() - begun };
  } finally {
    expire();
    client.destroy().catch(() => undefined);
  }
}

async function ask(
  client: Client,
  path: string,
  target: ProbeTarget,
  health: HealthSettings,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const { statusCode, headers, body } = await client.request({
    method: 'GET',
    path,
    headers: {
      'user-agent': USER_AGENT,
      accept: '*/*',
      ...(target.hostHeader === undefined ? {} : { host: target.hostHeader }),
    },
    // Closes after this answer: probes must not keep connections to a platform.
    reset: true,
    signal,
  });
  const wantsBody = health.release !== undefined && 'json' in health.release;
  if (!wantsBody) {
    // The head is the answer; an error while the rest is thrown away changes nothing.
    body.on('error', () => undefined).destroy();
    return { status: statusCode, headers, body: '' };
  }
  return { status: statusCode, headers, body: await readSome(body) };
}

async function readSome(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= BODY_LIMIT) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function probeTcp(
  clock: Clock,
  target: ProbeTarget,
  health: HealthSettings,
  lookup: LookupFunction,
): Promise<ProbeResult> {
  const begun = clock.monotonic();
  const { hostname, port, protocol } = new URL(target.url);
  return new Promise((resolve) => {
    const socket = net.connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      lookup,
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    });
    const expire = clock.after(health.timeoutMs, () => settle(false, 'timeout'));
    function settle(ok: boolean, detail: string): void {
      expire();
      socket.destroy();
      resolve({ probe: 'tcp', ok, detail, latencyMs: clock.monotonic() - begun });
    }
    socket.once('connect', () => settle(true, 'ok'));
    socket.on('error', (error) => settle(false, classifyError(error)));
  });
}
