import type { ConnectionCounters } from '../core/traffic-counters.ts';

/** Connections of clients, counted where they come in. */
export class ConnectionTally {
  #open = 0;
  #accepted = 0;
  refused = 0;
  handshakes = 0;

  opened(): void {
    this.#open += 1;
    this.#accepted += 1;
  }

  closed(): void {
    this.#open -= 1;
  }

  read(): ConnectionCounters {
    return {
      open: this.#open,
      accepted: this.#accepted,
      refused: this.refused,
      handshakes: this.handshakes,
    };
  }
}

export const NO_CONNECTIONS: ConnectionCounters = { open: 0, accepted: 0, refused: 0, handshakes: 0 };
