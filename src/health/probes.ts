import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { GatewaySettings, HealthSettings } from '../core/settings.ts';
import type { ProbeKind } from '../core/signals.ts';
import { createSteadyLookup } from '../lib/steady-lookup.ts';
import { createTrust } from '../lib/tls-trust.ts';
import { AskedConnection, type Question } from './asked-connection.ts';
import { type Classified, classifyAnswer, classifyControl, wantsBody } from './classify.ts';
import { isToBeKept, type KeptConnection } from './kept-connection.ts';
import { addressOf } from './probe-connection.ts';

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
  readonly probe: ProbeKind;
  readonly ok: boolean;
  /** As in `ProbeSignal`. */
  readonly detail: string;
  readonly latencyMs: number;
  readonly release?: ReleaseId;
  /** Days until the certificate that was shown expires; only where the probe speaks TLS. */
  readonly certificateDays?: number;
}

/**
 * Never rejects: a failure is an answer. `kind` left out: what decides whether the target serves, HTTP where the
 * health rule has a path and TCP where it has none. `kept` is for who asks again and again, one question at a time:
 * health paths are then asked on a connection that lasts for some of them; left out: each on its own.
 */
export type Probe = (
  target: ProbeTarget,
  health: HealthSettings,
  kind?: ProbeKind,
  kept?: KeptConnection,
) => Promise<ProbeResult>;

/**
 * Not `HTTP-Monitor/1.1`: Cloud Foundry's router answers that one itself, and we would probe the router instead of
 * the application.
 */
const USER_AGENT = 'sluice-probe';
/** Nobody's: `.invalid` is reserved for names that never exist (RFC 6761). */
const CONTROL_HOST = 'sluice-control.invalid';

export interface ProbeDeps {
  readonly clock: Clock;
  /** What the gateway's settings say of TLS now: a probe is to see what a request would. */
  readonly upstreamTls?: () => GatewaySettings['upstreamTls'];
}

export function createProbe({ clock, upstreamTls }: ProbeDeps): Probe {
  const trust = createTrust();
  const lookup = createSteadyLookup();

  return async function probe(target, health, kind = mainProbe(health), kept = undefined) {
    // Host names come from platforms; one that would say more than a name is not sent.
    if (!/^[\x21-\x7e]*$/.test(target.hostHeader ?? ''))
      return { probe: kind, ok: false, detail: 'no host name', latencyMs: 0 };
    const { url, sni, ca, platform } = target;
    const trusted = trust({ ca, tls: platform === undefined ? undefined : upstreamTls?.()?.[platform] });
    const timeoutMs = kind === 'deep' && health.deep !== undefined ? health.deep.timeoutMs : health.timeoutMs;
    const host = target.hostHeader ?? addressOf(url).authority;
    const begun = clock.monotonic();
    const line = kind === 'http' ? kept : undefined;
    const place = { url, host, sni, trust: trusted };

    const former = line?.take(place, begun);
    if (former !== undefined) {
      const result = await ask(former, true);
      if (result !== undefined) return result;
    }
    const connecting = { lookup, trust: trusted, speaksTls: kind !== 'tcp', prove: kind !== 'control' };
    const fresh = new AskedConnection(target, connecting, clock);
    line?.keep(place, fresh);
    return (await ask(fresh, false)) ?? resultOf({ ok: false, detail: 'reset' }, fresh);

    /** Undefined: it ended before it answered, which is no answer. */
    async function ask(connection: AskedConnection, isKept: boolean): Promise<ProbeResult | undefined> {
      const { everyMs } = health;
      const keep =
        line !== undefined &&
        isToBeKept(isKept ? connection : undefined, { everyMs, now: clock.monotonic() });
      const question = questionOf(kind, { host, health, keep });
      const outcome = await connection.ask({ question, timeoutMs, keep });
      if (outcome === 'stale') return undefined;
      if (!outcome.ok) line?.drop();
      return resultOf(outcome, connection);
    }

    function resultOf(found: Classified, { certificateDays }: AskedConnection): ProbeResult {
      const latencyMs = clock.monotonic() - begun;
      return {
        probe: kind,
        ...found,
        latencyMs,
        ...(certificateDays === undefined ? {} : { certificateDays }),
      };
    }
  };
}

/** Which kind decides whether a target serves; the others are evidence. */
export function mainProbe({ path }: HealthSettings): 'http' | 'tcp' {
  return path === undefined ? 'tcp' : 'http';
}

interface Asking {
  readonly host: string;
  readonly health: HealthSettings;
  readonly keep: boolean;
}

function questionOf(kind: ProbeKind, { host, health, keep }: Asking): Question | undefined {
  const { status, headers = {} } = health;
  switch (kind) {
    case 'tcp':
      return undefined;
    case 'control':
      return {
        request: requestOf('/', { host: CONTROL_HOST, keep, headers: {} }),
        wantsBody: false,
        classify: classifyControl,
      };
    case 'deep':
      return {
        request: requestOf(health.deep?.path ?? '/', { host, keep, headers }),
        wantsBody: false,
        classify: (answer) => classifyAnswer(answer, { status }),
      };
    case 'http':
      return {
        request: requestOf(health.path ?? '/', { host, keep, headers }),
        wantsBody: wantsBody(health),
        classify: (answer) => classifyAnswer(answer, health),
      };
  }
}

interface Head {
  readonly host: string;
  readonly keep: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Fields of the health rule replace ours, except for those that say how the request ends. */
function requestOf(path: string, { host, keep, headers }: Head): string {
  const fields = { 'user-agent': USER_AGENT, accept: '*/*', ...headers };
  let request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${keep ? 'keep-alive' : 'close'}\r\n`;
  for (const [name, value] of Object.entries(fields)) request += `${name}: ${value}\r\n`;
  return `${request}\r\n`;
}
