import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { DrainPlace, LogDrainSettings } from '../core/log-drain.ts';
import type { Sender } from './sender.ts';
import { syslogMessage } from './syslog-message.ts';

const CONNECT_MS = 5_000;
const WRITE_MS = 10_000;

/**
 * One connection, opened anew when it broke. Syslog acknowledges nothing: what the other side had not read when it went
 * away is lost, and nobody can tell how much that is.
 */
export function syslogSender(
  { host, port, tls }: Extract<DrainPlace, { kind: 'syslog' }>,
  { ca }: Pick<LogDrainSettings, 'ca'>,
): Sender {
  let open: Socket | undefined;

  function connected(signal: AbortSignal): Promise<Socket> {
    if (open !== undefined && !open.destroyed && open.writable) return Promise.resolve(open);
    return new Promise((resolve, reject) => {
      const trust = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
      const socket = tls
        ? connectTls({ host, port, servername: host, ...trust })
        : connectPlain({ host, port });
      const giveUp = () => socket.destroy(new Error('the connection was given up'));
      socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`no answer in ${CONNECT_MS / 1_000} s`)));
      signal.addEventListener('abort', giveUp, { once: true });
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        signal.removeEventListener('abort', giveUp);
        socket.setTimeout(0);
        open = socket;
        resolve(socket);
      });
      // Also later: the next batch finds it destroyed.
      socket.on('error', reject);
      socket.on('end', () => socket.destroy());
      // Nothing is expected from there; what comes must not stop us from seeing the end.
      socket.resume();
    });
  }

  return {
    async send(entries, signal) {
      const socket = await connected(signal);
      await new Promise<void>((resolve, reject) => {
        const failed = () => reject(new Error('the connection broke'));
        socket.once('close', failed);
        socket.setTimeout(WRITE_MS, () => socket.destroy());
        socket.write(entries.map(syslogMessage).join(''), (error) => {
          socket.off('close', failed);
          socket.setTimeout(0);
          if (error) reject(error);
          else resolve();
        });
      });
      return { refused: 0 };
    },
    async close() {
      open?.destroy();
    },
  };
}
