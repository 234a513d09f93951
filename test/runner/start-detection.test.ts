import { getEventListeners } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { detectStart } from '../../src/runner/start-detection.ts';

/** A port that somebody had and nobody listens on. */
async function freePort(): Promise<number> {
  const opened = createServer();
  await new Promise<void>((done) => opened.listen(0, '127.0.0.1', done));
  const { port } = opened.address() as AddressInfo;
  await new Promise((done) => opened.close(done));
  return port;
}

describe('waiting until an instance listens', () => {
  it.each([{ kind: 'tcp' }, { kind: 'http', path: '/' }] as const)(
    'leaves nothing behind however often it tries: %j',
    async (detection) => {
      const port = await freePort();
      const stop = new AbortController();
      const waiting = detectStart(detection, port, () => () => undefined, systemClock, stop.signal);
      waiting.catch(() => undefined);
      await systemClock.sleep(700);
      // That of its present pause, and that of a connection it may have open.
      expect(getEventListeners(stop.signal, 'abort').length).toBeLessThanOrEqual(2);
      stop.abort(new Error('told to stop'));
      await expect(waiting).rejects.toThrow('told to stop');
    },
  );
});
