import net from 'node:net';
import tls from 'node:tls';
import type { Clock, Dispose } from '../core/ports.ts';
import type { Trust } from '../lib/tls-trust.ts';
import type { WireOrigin } from './wire.ts';

/** Asks an origin on a connection of its own whether anybody is at home; `done` is called once. */
export type FreshProbe = (
  origin: WireOrigin,
  host: string,
  timeoutMs: number,
  done: (alive: boolean) => void,
) => void;

const RESPONSE = 'HTTP/1.';
/** The timer came this late: it was us who stood still. */
const LATE_MS = 10;

/**
 * Any response head counts as alive, whatever its status. That the connection is accepted proves nothing: the kernel
 * does that for a frozen process.
 */
export function createFreshProbe(clock: Clock, trust: Trust): FreshProbe {
  return function probe(origin, host, timeoutMs, done) {
    let settled = false;
    let answered = '';
    let expire: Dispose = () => undefined;
    const socket = connectTo(origin, trust);

    /** The origin gets all of its time: what we stood still is added, once as much as it had. */
    function wait(ms: number, mayExtend: boolean): void {
      const dueAt = clock.monotonic() + ms;
      expire = clock.after(ms, () => {
        const late = clock.monotonic() - dueAt;
        if (mayExtend && late > LATE_MS) wait(Math.min(late, timeoutMs), false);
        // The answer may lie in the socket: it is read before this runs.
        else setImmediate(() => settle(false));
      });
    }

    function settle(alive: boolean): void {
      if (settled) return;
      settled = true;
      expire();
      socket.destroy();
      done(alive);
    }

    wait(timeoutMs, true);
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

/** Whose certificate it is, is the exchange's question; here it is only whether somebody answers. Ours is shown. */
function connectTo(origin: WireOrigin, trust: Trust): net.Socket {
  const { hostname: host, port, secure, sni } = origin;
  if (!secure) return net.connect({ host, port });
  return tls.connect({
    ...{ host, port, ...trust(origin), rejectUnauthorized: false },
    ...(sni === undefined ? {} : { servername: sni }),
  });
}
