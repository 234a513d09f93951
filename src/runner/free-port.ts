import { createServer } from 'node:net';
import type { Random } from '../core/ports.ts';

/**
 * Below the range from which systems take ports for outgoing connections: an instance that restarts must find its
 * port free, and a busy gateway would otherwise sooner or later sit on it.
 */
const FIRST = 20_000;
const COUNT = 12_000;
const TRIES = 200;

/** A port nobody listens on; `taken` are those promised to instances that may not listen yet. */
export async function findFreePort(taken: ReadonlySet<number>, random: Random): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // The pid keeps runners with equal seeds in different processes apart.
    const port = FIRST + ((process.pid * 131 + Math.floor(random() * COUNT)) % COUNT);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${FIRST + COUNT}`);
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
