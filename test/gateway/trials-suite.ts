import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ask,
  type Cleanup,
  type CreateWire,
  closedPort,
  httpOrigin,
  startGateway,
  tableOf,
  until,
} from './harness.ts';

const NEW = 'r-0000000002';

/** Requests that go to a release which is tried. */
export function trialsSuite(name: string, createWire: CreateWire): void {
  describe(`trials over the ${name} wire`, () => {
    let cleanup: Cleanup = { tasks: [] };

    beforeEach(() => {
      cleanup = { tasks: [] };
    });
    afterEach(async () => {
      for (const task of cleanup.tasks) await task();
    });

    const saying = (text: string, status = 200) =>
      httpOrigin(cleanup, (request, response) => {
        request.resume();
        response.writeHead(status).end(text);
      });
    const comparing = (targets: Parameters<typeof tableOf>[0]) => tableOf(targets, { compared: true });
    const trial = (url: string, share = 1) => ({
      ...{ urls: [url], platform: 'a', release: NEW, trial: true as const, share },
    });

    it('are replayed on an own origin when the trial does not answer, spares included before another trial', async () => {
      const dead = `http://127.0.0.1:${await closedPort()}`;
      const own = await saying('own');
      const second = await saying('another trial');
      const table = comparing({
        tried: trial(dead, 1),
        other: { ...trial(second.url, 0), platform: 'b' },
        b: { urls: [own.url], share: 0, state: 'spare' },
      });
      const { port, traffic } = await startGateway(cleanup, createWire, table);
      expect((await ask(port)).body).toBe('own');
      await until(() => traffic.length >= 2);
      const compared = traffic.map(({ platform, compared }) => ({ platform, ...compared }));
      expect(compared).toContainEqual(
        expect.objectContaining({ platform: 'a', trial: true, release: NEW, requests: 1, failed: 1 }),
      );
      // It only saved what failed elsewhere: nothing that it is to be compared by.
      expect(compared).toContainEqual(
        expect.objectContaining({ platform: 'b', trial: false, requests: 0, failed: 0 }),
      );
    });

    it('pass an answer of the application on, and count a 5xx among them as failed', async () => {
      const bad = await saying('oh', 500);
      const own = await saying('own');
      const table = comparing({ a: { urls: [own.url], share: 0 }, tried: trial(bad.url) });
      const { port, traffic } = await startGateway(cleanup, createWire, table);
      expect(await ask(port)).toMatchObject({ status: 500, body: 'oh' });
      await until(() => traffic.length > 0);
      expect(traffic[0]?.compared).toMatchObject({ trial: true, requests: 1, failed: 1 });
    });

    it('are no refuge: the only own origin stays in although a trial answers', async () => {
      const dead = `http://127.0.0.1:${await closedPort()}`;
      const tried = await saying('trial');
      const table = tableOf({ a: { urls: [dead], share: 0.99 }, tried: trial(tried.url, 0.01) });
      const { port, ejections } = await startGateway(cleanup, createWire, table, undefined, {
        random: () => 0.5,
      });
      for (let i = 0; i < 8; i += 1) await ask(port);
      expect(ejections).toEqual([]);
    });

    it('tell nothing of comparisons where nothing is tried', async () => {
      const own = await saying('own');
      const { port, traffic } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [own.url] } }));
      await ask(port);
      await until(() => traffic.length > 0);
      expect(traffic[0]).not.toHaveProperty('compared');
    });
  });
}
