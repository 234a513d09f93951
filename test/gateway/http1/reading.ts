import { BodyReader, type BodyState } from '../../../src/gateway/http1/body.ts';
import { HeadIntake, type HeadReader } from '../../../src/gateway/http1/head-intake.ts';
import { RequestHeadReader } from '../../../src/gateway/http1/request-head.ts';
import { ResponseHeadReader } from '../../../src/gateway/http1/response-head.ts';
import type { FlatHeaders } from '../../../src/gateway/wire.ts';

export const LIMITS = { headBytes: 16_384, targetBytes: 8_192, fields: 100 };

/** Cuts bytes at these places (any numbers; taken modulo the length). */
export function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const all: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) all.push(bytes.subarray(from, place));
    from = place;
  }
  return all;
}

/** Byte by byte. */
export function everywhere(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length }, (_, i) => i);
}

/** Reads a head from pieces; gives back what is left of the piece it ended in, and all after it. */
export function readHead(reader: HeadReader, parts: readonly Buffer[]): Buffer[] {
  const intake = new HeadIntake();
  for (const [i, part] of parts.entries()) {
    // A copy that is spoilt afterwards: what is kept must not be in it. A head that came whole stays in its piece.
    const copy = Buffer.from(part);
    const at = intake.take(reader, copy, 0, copy.length);
    if (reader.state === 'incomplete') copy.fill(0xdd);
    else return [part.subarray(at), ...parts.slice(i + 1)];
  }
  return [];
}

export interface ReadRequest {
  readonly outcome: number | 'incomplete' | 'complete';
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly bodyLength?: number;
  readonly upgrade?: string | undefined;
  readonly keepAlive?: boolean;
  readonly headers?: FlatHeaders;
  readonly rest?: string;
}

export function readRequest(bytes: Buffer, cuts: readonly number[] = []): ReadRequest {
  const reader = new RequestHeadReader(LIMITS);
  const rest = readHead(reader, pieces(bytes, cuts));
  if (reader.state === 'refused') return { outcome: reader.refusal };
  if (reader.state === 'incomplete') return { outcome: 'incomplete' };
  const { method, target, host, bodyLength, upgrade, keepAlive } = reader;
  return {
    outcome: 'complete',
    method,
    target,
    host,
    bodyLength,
    upgrade,
    keepAlive,
    headers: reader.fields.flat(),
    rest: Buffer.concat(rest).toString('latin1'),
  };
}

export interface ReadResponse {
  readonly outcome: 'refused' | 'incomplete' | 'complete';
  readonly status?: number;
  readonly reason?: string;
  readonly bodyLength?: number;
  readonly keepAlive?: boolean;
  readonly headers?: FlatHeaders;
  readonly rest?: string;
}

export function readResponse(bytes: Buffer, cuts: readonly number[] = []): ReadResponse {
  const reader = new ResponseHeadReader(LIMITS);
  const rest = readHead(reader, pieces(bytes, cuts));
  if (reader.state !== 'complete') return { outcome: reader.state };
  const { status, reason, bodyLength, keepAlive } = reader;
  return {
    outcome: 'complete',
    status,
    reason,
    bodyLength,
    keepAlive,
    headers: reader.fields.flat(),
    rest: Buffer.concat(rest).toString('latin1'),
  };
}

export interface ReadBody {
  readonly state: BodyState;
  readonly body: string;
  readonly trailers: FlatHeaders | undefined;
  readonly rest: string;
}

/** Reads a body from pieces; every `pauseEvery`th chunk of content makes a pause. */
export function readBody(
  bytes: Buffer,
  length: number,
  cuts: readonly number[] = [],
  pauseEvery = Number.POSITIVE_INFINITY,
): ReadBody {
  const reader = new BodyReader();
  reader.begin(length);
  let body = '';
  let taken = 0;
  const sink = {
    paused: false,
    takeBody(chunk: Buffer): void {
      body += chunk.toString('latin1');
      taken += 1;
      sink.paused = taken % pauseEvery === 0;
    },
  };
  const rest: string[] = [];
  for (const part of pieces(bytes, cuts)) {
    let at = 0;
    while (at < part.length && reader.state === 'reading') {
      sink.paused = false;
      at = reader.read(part, at, part.length, sink);
    }
    rest.push(part.toString('latin1', at));
  }
  // What stands behind a fault is nobody's.
  return {
    state: reader.state,
    body,
    trailers: reader.trailers,
    rest: reader.state === 'complete' ? rest.join('') : '',
  };
}
