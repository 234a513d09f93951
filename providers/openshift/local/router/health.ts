import { connect } from 'node:net';
import type { Clock, Dispose } from '../../../../src/core/ports.ts';
import type { RouterEndpoint, RouterTable } from './table.ts';

const FALL = 3;
const RISE = 2;

/** TCP checks of endpoints, only where a route has more than one: with one there is nothing to prefer. */
export interface HealthChecks {
  isDown(endpoint: RouterEndpoint): boolean;
  close: Dispose;
}

export function startHealthChecks(
  clock: Clock,
  everyMs: number,
  table: () => RouterTable,
  resolve: (endpoint: RouterEndpoint) => number | undefined,
): HealthChecks {
  const states = new Map<string, { down: boolean; streak: number }>();

  function note(id: string, passed: boolean): void {
    const state = states.get(id) ?? { down: false, streak: 0 };
    states.set(id, state);
    if (passed !== state.down) state.streak = 0;
    else state.streak += 1;
    if (state.streak < (state.down ? RISE : FALL)) return;
    state.down = !state.down;
    state.streak = 0;
  }

  function checkAll(): void {
    const seen = new Map<string, RouterEndpoint>();
    for (const route of table().routes) {
      if (route.endpoints.length > 1) for (const endpoint of route.endpoints) seen.set(endpoint.id, endpoint);
    }
    for (const id of [...states.keys()]) if (!seen.has(id)) states.delete(id);
    for (const endpoint of seen.values()) check(endpoint);
  }

  function check(endpoint: RouterEndpoint): void {
    const port = resolve(endpoint);
    if (port === undefined) {
      note(endpoint.id, false);
      return;
    }
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    socket.on('connect', () => {
      note(endpoint.id, true);
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
    socket.on('error', () => note(endpoint.id, false));
  }

  return {
    isDown: (endpoint) => states.get(endpoint.id)?.down ?? false,
    close: clock.every(everyMs, checkAll),
  };
}
