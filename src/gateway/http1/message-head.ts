import type { FlatHeaders, Peer, RequestHead, ResponseHead } from '../wire.ts';
import type { FieldSection } from './field-section.ts';
import type { RequestHeadReader } from './request-head.ts';
import type { ResponseHeadReader } from './response-head.ts';

/**
 * One head as the exchange sees it, over bytes that its connection keeps for as long as the exchange lasts. Without a
 * constructor, because V8 passes over those that do nothing.
 */
abstract class MessageHead<Reader extends { readonly fields: FieldSection }> {
  /** Undefined afterwards: the reader serves another message by then. */
  abstract reader: Reader | undefined;

  get headers(): FlatHeaders {
    return this.reader?.fields.flat() ?? [];
  }

  field(name: string): string | undefined {
    return this.reader?.fields.field(name);
  }

  release(): void {
    this.reader = undefined;
  }
}

export class Http1RequestHead extends MessageHead<RequestHeadReader> implements RequestHead {
  reader: RequestHeadReader | undefined;
  readonly method: string;
  readonly host: string;
  readonly bodyLength: number;
  readonly upgrade: string | undefined;
  readonly peer: Peer;

  constructor(reader: RequestHeadReader, peer: Peer) {
    super();
    this.reader = reader;
    this.peer = peer;
    this.method = reader.method;
    this.host = reader.host;
    this.bodyLength = reader.bodyLength;
    this.upgrade = reader.upgrade;
  }

  get target(): string {
    return this.reader?.target ?? '';
  }
}

export class Http1ResponseHead extends MessageHead<ResponseHeadReader> implements ResponseHead {
  reader: ResponseHeadReader | undefined;
  readonly status: number;
  readonly reason: string;
  readonly isEventStream: boolean;

  constructor(reader: ResponseHeadReader) {
    super();
    this.reader = reader;
    this.status = reader.status;
    this.reason = reader.reason;
    this.isEventStream = reader.isEventStream;
  }
}
