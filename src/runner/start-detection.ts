import { type ClientRequest, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Clock, Event } from '../core/ports.ts';
import type { StartDetection } from '../core/runner.ts';

const FIRST_WAIT_MS = 25;
const LONGEST_WAIT_MS = 400;
const TRY_TIMEOUT_MS = 2_000;

/** Resolves when the instance is ready; rejects with the signal's reason when aborted. Never gives up by itself. */
export async function detectStart(
  detection: StartDetection,
  port: number,
  onLine: Event<string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  // Whoever waits aborts it when the process ends.
  if (detection.kind === 'alive') return clock.sleep(detection.forMs, signal);
  if (detection.kind === 'log') return matchLine(new RegExp(detection.pattern), onLine, signal);
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 1.5)) {
    signal.throwIfAborted();
    const ready =
      detection.kind === 'http'
        ? await answersHttp(port, detection.path, signal)
        : await acceptsTcp(port, signal);
    if (ready) return;
    await clock.sleep(wait, signal);
  }
}

function matchLine(pattern: RegExp, onLine: Event<string>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const dispose = onLine((text) => {
      if (!pattern.test(text)) return;
      signal.removeEventListener('abort', aborted);
      dispose();
      resolve();
    });
    function aborted(): void {
      dispose();
      reject(signal.reason);
    }
    signal.addEventListener('abort', aborted, { once: true });
  });
}

function answersHttp(port: number, path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: '127.0.0.1',
        port,
        path,
        // A connection of its own each time: a kept one would hide that the listener is gone.
        agent: false,
        timeout: TRY_TIMEOUT_MS,
        headers: { 'user-agent': 'sluice-start-detection' },
      },
      (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        resolve(status >= 200 && status < 400);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
    endWith(request, signal);
  });
}

function acceptsTcp(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: TRY_TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    endWith(socket, signal);
  });
}

/** Node's own option `signal` leaves a listener behind for each connection, and there is one every few milliseconds. */
function endWith(opened: Socket | ClientRequest, signal: AbortSignal): void {
  const end = (): void => void opened.destroy();
  signal.addEventListener('abort', end, { once: true });
  opened.once('close', () => signal.removeEventListener('abort', end));
}
