import * as frames from './frames.ts';

/**
 * What is wrong with a frame by its head alone, whatever came before it (RFC 9113 §6): an error code, or NO_ERROR. The
 * payload of those that pass can be read without looking at its length again, padding excepted.
 */
export function shapeFault(type: number, flags: number, stream: number, length: number): number {
  switch (type) {
    case frames.DATA:
      return stream === 0 ? frames.PROTOCOL_ERROR : frames.NO_ERROR;
    case frames.HEADERS:
      // Clients open streams with odd numbers (§5.1.1).
      return (stream & 1) === 0 ? frames.PROTOCOL_ERROR : frames.NO_ERROR;
    case frames.PRIORITY:
      return ofStream(stream, length === 5);
    case frames.RST_STREAM:
      return ofStream(stream, length === 4);
    case frames.SETTINGS: {
      const isAck = (flags & frames.FLAG_ACK) !== 0;
      return ofConnection(stream, length % 6 === 0 && !(isAck && length > 0));
    }
    case frames.PING:
      return ofConnection(stream, length === 8);
    case frames.GOAWAY:
      return ofConnection(stream, length >= 8);
    case frames.WINDOW_UPDATE:
      return length === 4 ? frames.NO_ERROR : frames.FRAME_SIZE_ERROR;
    case frames.PUSH_PROMISE:
      return frames.PROTOCOL_ERROR;
    default:
      return frames.NO_ERROR;
  }
}

function ofStream(stream: number, isSized: boolean): number {
  if (stream === 0) return frames.PROTOCOL_ERROR;
  return isSized ? frames.NO_ERROR : frames.FRAME_SIZE_ERROR;
}

function ofConnection(stream: number, isSized: boolean): number {
  if (stream !== 0) return frames.PROTOCOL_ERROR;
  return isSized ? frames.NO_ERROR : frames.FRAME_SIZE_ERROR;
}

/** Where the content of DATA or HEADERS begins. */
export function contentStart(flags: number, from: number): number {
  return (flags & frames.FLAG_PADDED) === 0 ? from : from + 1;
}

/** Where the content ends and padding begins; -1 when there is more padding than payload (RFC 9113 §6.1). */
export function contentEnd(flags: number, bytes: Buffer, from: number, to: number): number {
  if ((flags & frames.FLAG_PADDED) === 0) return to;
  const end = to - (from < to ? bytes[from]! : to);
  return from < to && end > from ? end : -1;
}
