import { createHash } from 'node:crypto';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock, Dispose } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/settings.ts';
import type { TrustOptions } from '../../lib/tls-trust.ts';
import { editRequest } from '../headers.ts';
import { firstField, plainHead } from '../outage-answers.ts';
import {
  type AttemptRequest,
  COMPLETED,
  ERR,
  type Failure,
  QUEUED,
  type RequestHead,
  type ResponseHead,
  SYNC,
  type Upstream,
  type UpstreamHandler,
  type Written,
} from '../wire.ts';
import { connectFailure, failureAfterSending, protocolFailure } from './failures.ts';

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface UpgradeDeps {
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly trust: TrustOptions;
}

/** A request to switch protocols, on a connection of its own; after a checked 101 a tunnel for bytes. */
export class UpgradeAttempt implements Upstream {
  readonly #handler: UpstreamHandler;
  readonly #asked: RequestHead;
  readonly #request: ClientRequest;
  readonly #stopTimer: Dispose;
  delivered = false;
  #over = false;
  #source: Duplex | IncomingMessage | undefined;
  #tunnel: Duplex | undefined;

  constructor(attempt: AttemptRequest, handler: UpstreamHandler, { settings, clock, trust }: UpgradeDeps) {
    const { head, origin, edit, stamp } = attempt;
    this.#handler = handler;
    this.#asked = head;
    const headers = editRequest(head, edit, stamp);
    headers.push(
      'host',
      edit.host ?? head.host,
      'connection',
      'Upgrade',
      'upgrade',
      head.upgrade ?? 'websocket',
    );
    const module = origin.secure ? https : http;
    const request = module.request({
      host: origin.hostname,
      port: origin.port,
      method: head.method,
      path: head.target,
      headers,
      setHost: false,
      // Each half of a tunnel ends on its own; `allowHalfOpen` reaches net.connect through the agent.
      agent: new module.Agent({ keepAlive: false, ...{ allowHalfOpen: true } }),
      ...trust,
      ...(origin.sni === undefined ? {} : { servername: origin.sni }),
    });
    this.#request = request;
    this.#stopTimer = clock.after(settings.timeouts.connectMs, () => {
      request.destroy(Object.assign(new Error('connect timeout'), { code: 'ETIMEDOUT' }));
    });
    request.on('socket', (socket) => {
      socket.on(origin.secure ? 'secureConnect' : 'connect', () => {
        this.#stopTimer();
        this.delivered = true;
        socket.setNoDelay(true);
      });
    });
    request.on('finish', () => this.#sent());
    request.on('error', (error) => {
      this.#fail(this.delivered ? failureAfterSending(error, false) : connectFailure(error));
    });
    request.on('upgrade', (answer, socket, first) => this.#switched(answer, socket, first));
    request.on('response', (answer) => this.#refused(answer));
    request.end();
  }

  // ── Upstream ───────────────────────────────────────────────────────────────────────────────────────────────────

  write(chunk: Uint8Array): Written {
    if (this.#tunnel === undefined || this.#tunnel.destroyed) return ERR;
    return this.#tunnel.write(chunk) ? SYNC : QUEUED;
  }

  end(): void {
    this.#tunnel?.end();
  }

  pause(): void {
    this.#source?.pause();
  }

  resume(): void {
    this.#source?.resume();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#request.destroy();
    this.#tunnel?.destroy();
  }

  #sent(): void {
    if (!this.#over && this.delivered) this.#handler.onSent();
  }

  // ── the origin ─────────────────────────────────────────────────────────────────────────────────────────────────

  #switched(answer: IncomingMessage, socket: Duplex, first: Buffer): void {
    const head = headOf(answer);
    socket.on('error', (error) => this.#fail(failureAfterSending(error, false)));
    if (this.#over) {
      socket.destroy();
      return;
    }
    if (!provesSwitch(this.#asked, head)) {
      socket.destroy();
      this.#fail(protocolFailure('a 101 that proves nothing'));
      return;
    }
    this.#tunnel = socket;
    this.#source = socket;
    if (first.length > 0) socket.unshift(first);
    let ended = false;
    socket.pause();
    socket.on('drain', () => this.#ifOpen((handler) => handler.onOriginDrain()));
    socket.on('data', (chunk: Buffer) => this.#ifOpen((handler) => handler.onChunk(chunk)));
    socket.on('end', () => {
      ended = true;
      this.#ifOpen((handler) => handler.onEnd(undefined));
    });
    socket.on('close', () => {
      if (ended) this.#complete();
      else this.#fail(failureAfterSending(new Error('tunnel closed'), false));
    });
    this.#handler.onHead(head);
    if (!this.#over) socket.resume();
  }

  #refused(answer: IncomingMessage): void {
    if (this.#over) {
      answer.destroy();
      return;
    }
    this.#source = answer;
    answer.on('data', (chunk: Buffer) => this.#ifOpen((handler) => handler.onChunk(chunk)));
    answer.on('error', () => undefined);
    answer.on('close', () => {
      if (!answer.complete) return this.#fail(failureAfterSending(new Error('answer cut off'), false));
      this.#ifOpen((handler) => handler.onEnd(undefined));
      this.#complete();
    });
    this.#handler.onHead(headOf(answer));
  }

  #ifOpen(tell: (handler: UpstreamHandler) => void): void {
    if (!this.#over) tell(this.#handler);
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onOutcome(COMPLETED);
  }

  #fail(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#request.destroy();
    this.#tunnel?.destroy();
    this.#handler.onOutcome(failure);
  }
}

function headOf(answer: IncomingMessage): ResponseHead {
  return plainHead(answer.statusCode ?? 0, answer.statusMessage ?? '', answer.rawHeaders);
}

/** A 101 to what we asked, from somebody who has read our key (RFC 6455 §4.1). */
export function provesSwitch(asked: RequestHead, answer: ResponseHead): boolean {
  if (answer.status !== 101) return false;
  if (firstField(answer.headers, 'upgrade')?.trim().toLowerCase() !== asked.upgrade) return false;
  const key = asked.field('sec-websocket-key');
  if (key === undefined) return false;
  const expected = createHash('sha1')
    .update(key.trim() + WEBSOCKET_GUID)
    .digest('base64');
  return firstField(answer.headers, 'sec-websocket-accept')?.trim() === expected;
}
