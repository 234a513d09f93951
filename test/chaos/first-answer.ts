import { request } from 'undici';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { monotonicMs } from './monotonic.ts';

const PATIENCE_MS = 20_000;

/** Proxies listen before they know who is well. `from`: the `x-origin` that has to answer; undefined: any. */
export async function firstAnswer(
  port: number,
  from: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const deadline = monotonicMs() + PATIENCE_MS;
  let why = 'no answer';
  while (monotonicMs() < deadline) {
    signal.throwIfAborted();
    try {
      const answer = await request(`http://127.0.0.1:${port}/`);
      await answer.body.dump();
      const by = answer.headers['x-origin'];
      if (answer.statusCode === 200 && (from === undefined || by === from)) return;
      why = `status ${answer.statusCode} by ${String(by)}`;
    } catch (error) {
      why = (error as Error).message;
    }
    await systemClock.sleep(50, signal);
  }
  throw new SluiceError('NOT_HEALTHY', 'the proxy serves nothing', { where: `port ${port}`, why });
}
