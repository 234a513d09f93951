import type { TrustOptions } from '../lib/tls-trust.ts';
import type { AskedConnection } from './asked-connection.ts';

/** What a connection is for; another place, another connection. */
export interface Place {
  readonly url: string;
  readonly host: string;
  readonly sni: string | undefined;
  /** Compared as what it is: `createTrust` hands out the same for the same wish. */
  readonly trust: TrustOptions;
}

/** So seldom at least a new one is opened: a router that takes no new ones is to be noticed within seconds. */
const MOST_QUESTIONS = 4;
const MOST_MS = 4_000;

/**
 * The connection of whoever asks the same place again and again, one question at a time. Opening one costs several
 * times what a question costs.
 */
export class KeptConnection {
  #connection: AskedConnection | undefined;
  #place: Place | undefined;
  #isDoubted = false;
  #isClosed = false;

  /** The one that is good for another question; undefined: none, and what there was is closed. */
  take(place: Place, now: number): AskedConnection | undefined {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    const isGood =
      !this.#isDoubted &&
      connection.isFree &&
      connection.questions < MOST_QUESTIONS &&
      now - connection.openedAt < MOST_MS &&
      isSame(this.#place, place);
    if (isGood) return connection;
    this.drop();
    return undefined;
  }

  keep(place: Place, connection: AskedConnection): void {
    this.drop();
    if (this.#isClosed) connection.close();
    else this.#connection = connection;
    this.#place = place;
    this.#isDoubted = false;
  }

  /** The next question goes out on a new one; who waits for an answer now may still get it. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** The same at once: nobody waits, or for nothing. */
  drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** For good: nothing is asked any more, and who waits hears so. */
  close(): void {
    this.#isClosed = true;
    this.drop();
  }
}

/** Is there to be a question after this one? If not the other side is told, and closes: then its port waits, not ours. */
export function isToBeKept(
  connection: AskedConnection | undefined,
  { everyMs, now }: { everyMs: number; now: number },
): boolean {
  const age = connection === undefined ? 0 : now - connection.openedAt;
  return (connection?.questions ?? 0) + 1 < MOST_QUESTIONS && age + everyMs < MOST_MS;
}

function isSame(before: Place | undefined, { url, host, sni, trust }: Place): boolean {
  return before?.url === url && before.host === host && before.sni === sni && before.trust === trust;
}
