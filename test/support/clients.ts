import { Agent, request } from 'undici';
import { systemClock } from '../../src/lib/clock.ts';

/** What one client was answered; no release: not by an application. */
export interface ClientAnswer {
  readonly at: number;
  /** 0: nothing at all. */
  readonly status: number;
  readonly release: string | undefined;
  readonly platform: string | undefined;
}

export interface Clients {
  readonly answers: ClientAnswer[];
  stop(): Promise<void>;
}

const EVERY_MS = 10;

export async function ask(url: string, dispatcher?: Agent): Promise<ClientAnswer> {
  const at = systemClock.now();
  try {
    const { statusCode, headers, body } = await request(url, dispatcher ? { dispatcher } : {});
    await body.dump();
    const [release, platform] = ['x-release', 'x-platform'].map((name) => headers[name]?.toString());
    return { at, status: statusCode, release, platform };
  } catch {
    return { at, status: 0, release: undefined, platform: undefined };
  }
}

/** A request every 10 ms whatever becomes of those before, as many clients do. */
export function startClients(url: string): Clients {
  const answers: ClientAnswer[] = [];
  const open = new Set<Promise<void>>();
  const dispatcher = new Agent({ connections: 64 });
  const stop = systemClock.every(EVERY_MS, () => {
    const one = ask(url, dispatcher).then((answer) => {
      answers.push(answer);
      open.delete(one);
    });
    open.add(one);
  });
  return {
    answers,
    async stop() {
      stop();
      await Promise.all(open);
      await dispatcher.close();
    },
  };
}
