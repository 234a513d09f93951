import type { Socket } from 'node:net';
import { PREFACE } from './http2/frames.ts';

/**
 * Waits for the first bytes of a connection and tells by them what it speaks (RFC 9113 §3.4: the
 * first line of HTTP/2's preface no request of HTTP/1.1 can begin with); they are there again for who reads next.
 * Never calls back for a connection that closes before.
 */
export function peekProtocol(socket: Socket, decided: (protocol: 'http/1.1' | 'h2') => void): void {
  let seen: Buffer = Buffer.alloc(0);

  function came(chunk: Buffer): void {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const isPreface = seen.compare(PREFACE, 0, length, 0, length) === 0;
    if (isPreface && length < PREFACE.length) return;
    settle(isPreface ? 'h2' : 'http/1.1');
  }

  // A client that ends before it can be told apart speaks no HTTP/2.
  function ended(): void {
    settle('http/1.1');
  }

  function settle(protocol: 'http/1.1' | 'h2'): void {
    socket.off('data', came);
    socket.off('end', ended);
    socket.pause();
    if (seen.length > 0) socket.unshift(seen);
    decided(protocol);
    socket.resume();
  }

  socket.on('data', came);
  socket.on('end', ended);
}
