import { createHash } from 'node:crypto';
import type { RequestHead, ResponseHead } from '../wire.ts';

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A 101 to what we asked, from somebody who has read our key (RFC 6455 §4.1). */
export function provesSwitch(asked: RequestHead, answer: ResponseHead): boolean {
  if (asked.upgrade === undefined || answer.field('upgrade')?.toLowerCase() !== asked.upgrade) return false;
  const key = asked.field('sec-websocket-key');
  if (key === undefined) return false;
  const expected = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  return answer.field('sec-websocket-accept') === expected;
}
