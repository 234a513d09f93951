import type { Random } from '../../src/core/ports.ts';
import type { GivesUp, SoakRequest } from './soak-exchange.ts';

/** What a user does next. */
export type Act =
  | {
      readonly kind: 'request';
      readonly isSafe: boolean;
      readonly closes: boolean;
      readonly request: SoakRequest;
    }
  | { readonly kind: 'upgrade'; readonly head: string; readonly ms: number; readonly politely: boolean };

/** So many are to be given up that one in five is: some answers are faster than their clients' impatience. */
const ABORTS = 0.38;
const LARGE = 1_048_576;
const UPLOAD = 262_144;
const HOST = 'host: soak.example\r\n';

/** Mixed like a day of traffic in which much goes wrong; all chance comes from `random`. */
export function nextAct(random: Random): Act {
  const draw = random();
  if (draw < 0.05) return upgrade(random);
  if (draw < 0.1) return events(random);
  if (draw < 0.25) return upload(random);
  if (draw < 0.4) return get('/bytes', LARGE, random);
  if (draw < 0.55) return get('/chunks', LARGE / 4, random);
  return get('/bytes', 1_024, random);
}

function get(path: string, size: number, random: Random): Act {
  const closes = random() < 0.2;
  const head = `GET ${path}/${size} HTTP/1.1\r\n${HOST}${closes ? 'connection: close\r\n' : ''}\r\n`;
  const givesUp: GivesUp =
    random() >= ABORTS
      ? { when: 'never' }
      : random() < 0.5
        ? { when: 'after', ms: random() * 5 }
        : { when: 'reading', bytes: 1 + Math.floor(random() * size * 0.9) };
  return { kind: 'request', isSafe: true, closes, request: { head, upload: 0, givesUp } };
}

/** Endless, so that leaving is how it always ends. */
function events(random: Random): Act {
  const head = `GET /events HTTP/1.1\r\n${HOST}accept: text/event-stream\r\n\r\n`;
  const givesUp: GivesUp = { when: 'after', ms: 200 + random() * 2_000 };
  return { kind: 'request', isSafe: true, closes: true, request: { head, upload: 0, givesUp } };
}

function upload(random: Random): Act {
  const head = `POST /upload HTTP/1.1\r\n${HOST}content-length: ${UPLOAD}\r\n\r\n`;
  const givesUp: GivesUp =
    random() < ABORTS ? { when: 'uploading', bytes: Math.floor(random() * UPLOAD) } : { when: 'never' };
  return { kind: 'request', isSafe: false, closes: false, request: { head, upload: UPLOAD, givesUp } };
}

function upgrade(random: Random): Act {
  const head =
    `GET /socket HTTP/1.1\r\n${HOST}connection: Upgrade\r\nupgrade: websocket\r\n` +
    'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  return { kind: 'upgrade', head, ms: 100 + random() * 2_000, politely: random() < 0.5 };
}
