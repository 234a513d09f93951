import type { OriginId } from '../core/ids.ts';
import type { GatewaySettings, ListenSettings, UpstreamTls } from '../core/settings.ts';
import type { ConnectionTally } from './connection-tally.ts';
import type { HeadEdit, RequestStamp, ResponseEdit } from './headers.ts';
import type { ClientIdentity } from './identity.ts';
import type { OutageStatus } from './outage-answers.ts';

/**
 * The wire seam. A wire speaks HTTP to clients and to origins; the exchange decides what happens between the two
 * and knows neither sockets nor node:http. There is no stream and no promise per request: heads, chunks, and one
 * outcome, by plain method calls on objects that live as long as the request.
 *
 * Chunks are on loan: a chunk is valid until the call that brought it returns. Whoever needs it longer copies it.
 */

/** What became of a write: on its way, kept by the wire (stop, and wait for the drain), or lost with its connection. */
export const SYNC = 0;
export const QUEUED = 1;
export const ERR = 2;
export type Written = typeof SYNC | typeof QUEUED | typeof ERR;

/** Names and values in turn, as they came: `['Host', 'shop.example.com', 'Accept', 'text/html']`. */
export type FlatHeaders = readonly string[];

export const EVENT_STREAM = 'text/event-stream';

/** `RequestHead.bodyLength` of a body whose length is not announced. */
export const CHUNKED = -1;

/**
 * A request head the wire has found valid: one Host, one unambiguous framing, no control characters. A wire that
 * keeps bytes makes `headers` only when asked: the pipeline itself asks for single fields.
 */
export interface RequestHead {
  readonly method: string;
  /** `HTTP/1.0`, `HTTP/2.0`; left out: `HTTP/1.1`. */
  readonly protocol?: string;
  /** Origin form or `*`, byte for byte; an absolute form was reduced and its authority put into `host`. */
  readonly target: string;
  /** As the client named it, with port if it gave one; empty for HTTP/1.0 without Host. */
  readonly host: string;
  /** 0: none; CHUNKED: unknown. */
  readonly bodyLength: number;
  /** The protocol the client asks to switch to, lower case; only `websocket` gets this far. */
  readonly upgrade: string | undefined;
  readonly headers: FlatHeaders;
  readonly peer: Peer;
  /** The first value of the field with this lower-case name. */
  field(name: string): string | undefined;
}

/** Who is on the other end of a client connection; one object a connection. */
export interface Peer {
  readonly address: string;
  /** In `gateway.trustedProxies`: its X-Forwarded-* are believed. */
  readonly trusted: boolean;
  readonly encrypted: boolean;
  readonly localPort: number;
  /** Kept here by `identity.ts`, which makes it once a connection. */
  identity: ClientIdentity | undefined;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: FlatHeaders;
  /** Its Content-Type says that what follows has no end of its own. */
  readonly isEventStream: boolean;
  field(name: string): string | undefined;
}

/** One request of a client and the way back to it. */
export interface Downstream {
  readonly head: RequestHead;
  /** Once, right after it was offered and before anything else is called. */
  attach(handler: DownstreamHandler): void;
  /** The body starts paused; the first `resume` also answers `Expect: 100-continue`. */
  resume(): void;
  pause(): void;
  /** Passes on a 1xx (never 101). A wire that cannot does nothing. */
  inform(head: ResponseHead): void;
  /** Once. With 101 both bodies become raw bytes until each side has ended. False: the head cannot be sent as it is. */
  respond(head: ResponseHead, edit: ResponseEdit): boolean;
  write(chunk: Uint8Array): Written;
  end(trailers: FlatHeaders | undefined): void;
  /** Cuts the connection so that the client can tell the answer from a complete one. */
  abort(): void;
}

export interface DownstreamHandler {
  onBody(chunk: Uint8Array): void;
  /** The body is whole. Trailers are as they came: the exchange decides which may pass. */
  onBodyEnd(trailers: FlatHeaders | undefined): void;
  /** The body will never be whole: it is malformed (400) or too slow (408). The client is still there to be told. */
  onBodyFault(status: 400 | 408, why: string): void;
  /** After a QUEUED `write`: go on. */
  onClientDrain(): void;
  /** Exactly once and last: the whole answer is handed to the system, or the client has gone (`complete` false). */
  onClose(complete: boolean): void;
}

/** What the exchange hands to the upstream side to make one attempt on one origin. */
export interface AttemptRequest {
  readonly origin: WireOrigin;
  readonly head: RequestHead;
  readonly edit: HeadEdit;
  readonly stamp: RequestStamp;
  /** Take no kept connection: the last one was closed under this request. */
  readonly fresh: boolean;
  /** It must not be sent twice: a kept connection is asked for its end before it is used. */
  readonly once: boolean;
}

/** Where to connect. One object per origin, SNI and authority as long as it stays in the table. */
export interface WireOrigin {
  readonly id: OriginId;
  readonly key: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly sni: string | undefined;
  /** PEM of authorities to trust besides the well-known ones. */
  readonly ca: string | undefined;
  /** Our certificate there, and whether its own is looked at. */
  readonly tls?: UpstreamTls | undefined;
}

/** One attempt. After `abort`, or after `onOutcome`, its handler hears nothing more. */
export interface Upstream {
  /** False as long as not one byte of the request can have reached the origin. */
  readonly delivered: boolean;
  write(chunk: Uint8Array): Written;
  /** The request body is complete, with these trailers; on a tunnel: our half is closed. */
  end(trailers: FlatHeaders | undefined): void;
  /** No chunk comes until `resume`; called from within `onHead`, an answer can be held back before it is relayed. */
  pause(): void;
  resume(): void;
  abort(): void;
}

/** Never called before the `attempt` that it was given to has returned. */
export interface UpstreamHandler {
  /** The whole request has been handed to the system. */
  onSent(): void;
  onInform(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  onChunk(chunk: Uint8Array): void;
  /** No more chunks; on a tunnel the other direction goes on. */
  onEnd(trailers: FlatHeaders | undefined): void;
  /** After a QUEUED `write`: go on. */
  onOriginDrain(): void;
  /** Exactly once and last. */
  onOutcome(outcome: Outcome): void;
}

export type Outcome = Completed | Failure;

export interface Completed {
  readonly kind: 'complete';
}

export interface Failure {
  readonly kind: 'failed';
  readonly class: FailureClass;
  /** `refused`, `connect-reset`, `connect-timeout`, `tls` mean: not delivered. `reset` and `protocol`: perhaps. */
  readonly delivered: boolean;
  /** The connection had carried an exchange before, and not one byte of an answer came. */
  readonly stale: boolean;
  /** For logs only; never sent to a client. */
  readonly detail: string;
}

/** `unsendable`: this wire has no way to say the request; no origin is to blame for that. */
export type FailureClass =
  | 'refused'
  | 'connect-reset'
  | 'connect-timeout'
  | 'tls'
  | 'reset'
  | 'protocol'
  | 'unsendable';

export const COMPLETED: Completed = { kind: 'complete' };

/** What a wire had to answer itself: there was no request it could have offered to anybody. */
export interface Refusal {
  readonly status: OutageStatus;
  /** For logs only. */
  readonly why: string;
  readonly peer: Peer;
}

/** Both sides of a protocol implementation. Creating one is free; `listen` does I/O. */
export interface Wire {
  /** Resolves with the ports, in the order asked for. */
  listen(
    at: readonly ListenAddress[],
    accept: (downstream: Downstream) => void,
    refused?: (refusal: Refusal) => void,
  ): Promise<readonly number[]>;
  /**
   * Listens where `settings.listen` says from now on, while everything else goes on; resolves with the ports, in its
   * order. What stays (same host and port) keeps its socket and its connections; what is new opens before what is gone
   * closes; connections of the latter are told `connection: close` or GOAWAY, and what is left of them after
   * `timeouts.drainMs` is cut. Certificates, `http2`, `trustedProxies`, `limits.perAddress` and `ticketKeys` hold for
   * connections that come afterwards. Rejects with PORT_IN_USE or CONFIG_INVALID (a certificate or key that cannot be
   * used, with its file), and then nothing has changed. Calls wait for each other; after `drain` it does nothing.
   */
  relisten(settings: GatewaySettings): Promise<readonly number[]>;
  /** Of clients' connections; a wire without sockets has none. */
  readonly tally?: ConnectionTally | undefined;
  attempt(request: AttemptRequest, handler: UpstreamHandler): Upstream;
  /** The origin has left the table: idle connections close now, used ones when their exchange ends. */
  retire(origin: WireOrigin): void;
  /**
   * No new connections; open ones are told `connection: close` with their next answer, or GOAWAY. Idle ones close, but
   * patiently they wait for that answer too: a request may be on its way. A second call may be less patient.
   */
  drain(patiently?: boolean): void;
  /** Drops everything that is left. */
  close(): Promise<void>;
}

/** `tls` and `http2` as in `ListenSettings`. */
export type ListenAddress = ListenSettings;
