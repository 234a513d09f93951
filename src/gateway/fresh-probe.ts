import net from 'node:net';
import tls from 'node:tls';
import type { Clock, Dispose } from '../core/ports.ts';
import type { WireOrigin } from './wire.ts';

/** Asks an origin on a connection of its own whether anybody is at home; `done` is called once. */
export type FreshProbe = (
  origin: WireOrigin,
  host: string,
  timeoutMs: number,
  done: (alive: boolean) => void,
) => void;

const RESPONSE = 'HTTP/1.';

/**
 * Any response head counts as alive, whatever its status. That the connection is accepted proves nothing: the kernel
 * does that for a frozen process.
 */
export function createFreshProbe(clock: Clock): FreshProbe {
  return function probe(origin, host, timeoutMs, done) {
    let settled = false;
    let answered = '';
    const { hostname, port } = origin;
    const socket = origin.secure
      ? // Whose certificate it is, is the exchange's question; here it is only whether somebody answers.
        tls.connect({
          host: hostname,
          port,
          rejectUnauthorized: false,
          ...(origin.sni === undefined ? {} : { servername: origin.sni }),
        })
      : net.connect({ host: hostname, port });
    const expire: Dispose = clock.after(timeoutMs, () => {
      // When it was us who stood still the answer may lie in the socket: it is read before this runs.
      setImmediate(() => settle(false));
    });

    function settle(alive: boolean): void {
      if (settled) return;
      settled = true;
      expire();
      socket.destroy();
      done(alive);
    }

    socket.setNoDelay(true);
    socket.write(`HEAD / HTTP/1.1\r\nhost: ${host}\r\nuser-agent: sluice\r\nconnection: close\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => {
      answered += chunk.toString('latin1', 0, RESPONSE.length);
      if (answered.length >= RESPONSE.length) settle(answered.startsWith(RESPONSE));
    });
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
  };
}
