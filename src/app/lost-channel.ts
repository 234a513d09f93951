import type { EventEmitter } from 'node:events';
import { hasCode } from '../lib/has-code.ts';

/** What a message to somebody who is gone ends with. */
const LOST = ['EPIPE', 'ECONNRESET', 'ERR_IPC_CHANNEL_CLOSED', 'ERR_IPC_DISCONNECTED'] as const;

/**
 * Node itself speaks to the supervisor, too: closing a server that is shared tells it so, with nobody to hear of a
 * failure. When the supervisor died first that would end a worker in the middle of its last requests; that it is gone,
 * `disconnect` says.
 */
export function outliveChannel(process: Pick<EventEmitter, 'on'>): void {
  process.on('error', (error: Error) => {
    if (!LOST.some((code) => hasCode(error, code))) throw error;
  });
}
