import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { GatewaySettings, HealthSettings } from '../core/settings.ts';
import type { ProbeKind } from '../core/signals.ts';
import { createSteadyLookup } from '../lib/steady-lookup.ts';
import { createTrust } from '../lib/tls-trust.ts';
import {
  type Classified,
  classifyAnswer,
  classifyControl,
  classifyError,
  type ProbeAnswer,
  wantsBody,
} from './classify.ts';
import { BODY_LIMIT, readAnswer } from './probe-answer.ts';
import { addressOf, type Connected, type Connecting, connectTo } from './probe-connection.ts';

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
 * health rule has a path and TCP where it has none.
 */
export type Probe = (target: ProbeTarget, health: HealthSettings, kind?: ProbeKind) => Promise<ProbeResult>;

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

/** What is sent, and what is made of the answer; undefined: to be let in is the answer. */
interface Question {
  readonly request: string;
  readonly wantsBody: boolean;
  readonly classify: (answer: ProbeAnswer) => Classified;
}

interface Asking {
  readonly target: ProbeTarget;
  readonly kind: ProbeKind;
  readonly question: Question | undefined;
  readonly timeoutMs: number;
  readonly connecting: Connecting;
  readonly clock: Clock;
}

export function createProbe({ clock, upstreamTls }: ProbeDeps): Probe {
  const trust = createTrust();
  const lookup = createSteadyLookup();

  return async function probe(target, health, kind = mainProbe(health)) {
    // Host names come from platforms; one that would say more than a name is not sent.
    if (!/^[\x21-\x7e]*$/.test(target.hostHeader ?? ''))
      return { probe: kind, ok: false, detail: 'no host name', latencyMs: 0 };
    const { ca, platform } = target;
    const tls = platform === undefined ? undefined : upstreamTls?.()?.[platform];
    return ask({
      ...{ target, kind, clock },
      question: questionOf(kind, target, health),
      timeoutMs: kind === 'deep' && health.deep !== undefined ? health.deep.timeoutMs : health.timeoutMs,
      connecting: { lookup, trust: trust({ ca, tls }), speaksTls: kind !== 'tcp', prove: kind !== 'control' },
    });
  };
}

/** Which kind decides whether a target serves; the others are evidence. */
export function mainProbe({ path }: HealthSettings): 'http' | 'tcp' {
  return path === undefined ? 'tcp' : 'http';
}

function questionOf(kind: ProbeKind, target: ProbeTarget, health: HealthSettings): Question | undefined {
  const host = target.hostHeader ?? addressOf(target.url).authority;
  switch (kind) {
    case 'tcp':
      return undefined;
    case 'control':
      return { request: requestOf('/', CONTROL_HOST, {}), wantsBody: false, classify: classifyControl };
    case 'deep': {
      const { status, headers = {} } = health;
      const request = requestOf(health.deep?.path ?? '/', host, headers);
      return { request, wantsBody: false, classify: (answer) => classifyAnswer(answer, { status }) };
    }
    case 'http':
      return {
        request: requestOf(health.path ?? '/', host, health.headers ?? {}),
        wantsBody: wantsBody(health),
        classify: (answer) => classifyAnswer(answer, health),
      };
  }
}

/** Fields of the health rule replace ours, except for those that say how the request ends. */
function requestOf(path: string, host: string, headers: Readonly<Record<string, string>>): string {
  const fields = { 'user-agent': USER_AGENT, accept: '*/*', ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${lines.join('')}\r\n`;
}

function ask(asking: Asking): Promise<ProbeResult> {
  const { target, kind, question, timeoutMs, connecting, clock } = asking;
  const begun = clock.monotonic();
  return new Promise((resolve) => {
    let settled = false;
    let received: Buffer | undefined;
    let seen = 0;
    let certificate: Pick<ProbeResult, 'certificateDays'> = {};
    const socket = connectTo(target, connecting, clock.now, connected);
    const expire = clock.after(timeoutMs, () => {
      settle({ ok: false, detail: 'timeout' });
      leave(socket);
    });

    function connected({ certificateDays, distrusted }: Connected): void {
      if (certificateDays !== undefined) certificate = { certificateDays };
      if (distrusted === true) finish({ ok: false, detail: 'tls' });
      else if (question === undefined) finish({ ok: true, detail: 'ok' });
      else socket.write(question.request, 'latin1');
    }

    function read(ended: boolean): void {
      if (settled || question === undefined) return;
      const reading = readAnswer(received ?? NOTHING, question.wantsBody, ended);
      if (reading.kind === 'answer') settle(question.classify(reading.answer));
      else if (reading.kind === 'not-http') finish({ ok: false, detail: 'not HTTP' });
      else if (ended) finish({ ok: false, detail: 'reset' });
    }

    function settle(found: Classified): void {
      if (settled) return;
      settled = true;
      received = undefined;
      // The rest is let in until the other side closes, as it was asked to: who closes first keeps the port for a minute.
      socket.unref();
      resolve({ probe: kind, ...found, latencyMs: clock.monotonic() - begun, ...certificate });
    }

    function finish(found: Classified): void {
      settle(found);
      leave(socket);
    }

    socket.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (!settled) received = received === undefined ? chunk : Buffer.concat([received, chunk]);
      read(false);
      if (settled && seen > BODY_LIMIT) leave(socket);
    });
    socket.on('end', () => read(true));
    socket.on('error', (error) => settle({ ok: false, detail: classifyError(error) }));
    socket.on('close', expire);
  });
}

const NOTHING = Buffer.alloc(0);

/** At once, and without a port that waits for stragglers: at thousands of probes a second they would run out. */
function leave(socket: Socket): void {
  if (socket.connecting || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
