import { Agent, request } from 'undici';
import type { Clock, Dispose } from '../../core/ports.ts';

/** One request as the client saw it. */
export interface Sample {
  /** Epoch milliseconds at which it was sent. */
  readonly sentAt: number;
  readonly safe: boolean;
  readonly ms: number;
  readonly ok: boolean;
  /** Which platform answered, by its own word. */
  readonly platform: string | undefined;
  /** Why it failed. */
  readonly why: string | undefined;
}

export interface Load {
  readonly samples: readonly Sample[];
  /** Sends nothing new and resolves when the last answer is in. */
  stop(): Promise<void>;
}

const TICK_MS = 5;

/**
 * An open loop: requests leave when they are due, whether or not earlier ones were answered, as real clients do.
 * Nine GETs to one POST; each POST orders under an id of its own, so that the ledger can tell who ran it twice.
 */
export function startLoad(url: string, rps: number, clock: Clock): Load {
  const agent = new Agent({
    connections: 128,
    keepAliveTimeout: 4_000,
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
  });
  const samples: Sample[] = [];
  const open = new Set<Promise<void>>();
  const startedAt = clock.monotonic();
  let sent = 0;

  async function send(number: number): Promise<void> {
    const safe = number % 10 !== 0;
    const sentAt = clock.now();
    const begun = clock.monotonic();
    const sample = { sentAt, safe };
    try {
      const answer = await request(safe ? `${url}/` : `${url}/orders`, {
        method: safe ? 'GET' : 'POST',
        dispatcher: agent,
        ...(safe
          ? {}
          : {
              body: JSON.stringify({ id: `order-${number}` }),
              headers: { 'content-type': 'application/json' },
            }),
      });
      await answer.body.dump();
      const ok = answer.statusCode < 400;
      const platform = answer.headers['x-platform'];
      samples.push({
        ...sample,
        ms: clock.monotonic() - begun,
        ok,
        platform: typeof platform === 'string' ? platform : undefined,
        why: ok ? undefined : `status ${answer.statusCode}`,
      });
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      samples.push({ ...sample, ms: clock.monotonic() - begun, ok: false, platform: undefined, why });
    }
  }

  const stopTicking: Dispose = clock.every(TICK_MS, () => {
    const due = Math.floor(((clock.monotonic() - startedAt) / 1000) * rps);
    while (sent < due) {
      const one = send(sent++);
      open.add(one);
      void one.then(() => open.delete(one));
    }
  });

  return {
    samples,
    async stop() {
      stopTicking();
      await Promise.all(open);
      await agent.destroy();
    },
  };
}
