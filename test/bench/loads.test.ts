import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Child, startChild } from './child.ts';
import { ROOT } from './folders.ts';
import type { LoadResult, OwnLoadOrders } from './load.ts';

/** The load generators as the bench runs them: compiled, each a process of its own, against the bench's origin. */
const COMPILED = join(ROOT, 'dist/test/bench');
const BODY_BYTES = 1024;

describe('our own load', () => {
  let origin: Child;
  let url: string;

  beforeAll(async () => {
    origin = await startChild({
      name: 'origin',
      command: process.execPath,
      args: [join(COMPILED, 'origin-process.js'), String(BODY_BYTES)],
      core: undefined,
      cwd: ROOT,
      ready: (line) => line.startsWith('{'),
    });
    const { ports } = JSON.parse(origin.readyLine) as { ports: readonly number[] };
    url = `http://127.0.0.1:${ports[1]}`;
  });

  afterAll(() => origin.stop());

  function run(main: string, changes: Partial<OwnLoadOrders>): LoadResult {
    const orders: OwnLoadOrders = {
      ...{ url, bodyBytes: BODY_BYTES, seconds: 1 },
      traffic: { kind: 'closed', connections: 4, streams: 1 },
      ...changes,
    };
    const ran = spawnSync(process.execPath, [join(COMPILED, main), JSON.stringify(orders)], {
      encoding: 'utf8',
    });
    expect(ran.stderr).toBe('');
    return JSON.parse(ran.stdout) as LoadResult;
  }

  it('asks again as soon as it was answered', () => {
    const seen = run('load-process.js', {});
    expect(seen).toMatchObject({ errors: [] });
    expect(seen.requests).toBeGreaterThan(4);
    expect(seen.p50Micros).toBeLessThanOrEqual(seen.p99Micros);
  });

  it('sends exactly as many as the clock says, whatever the answers take', () => {
    const traffic = { kind: 'paced', connections: 4, perSecond: 300 } as const;
    const seen = run('paced-process.js', { traffic });
    expect(seen).toMatchObject({ errors: [], requests: 300, givenUp: 0 });
    expect(seen.lateP99Micros).toBeGreaterThanOrEqual(0);
  });

  it('finds answers that are not what they should be', () => {
    const seen = run('load-process.js', { bodyBytes: BODY_BYTES - 1 });
    expect(seen.errors).toEqual([expect.stringContaining('content-length 1024 instead of 1023')]);
  });

  it('keeps silent clients connected and wakes them once more', async () => {
    const orders: OwnLoadOrders = {
      ...{ url, bodyBytes: BODY_BYTES, seconds: 0 },
      traffic: { kind: 'idle', connections: 300 },
    };
    const clients = await startChild({
      name: 'idle clients',
      command: process.execPath,
      args: [join(COMPILED, 'idle-process.js'), JSON.stringify(orders)],
      core: undefined,
      cwd: ROOT,
      ready: (line) => line.startsWith('{'),
    });
    try {
      expect(JSON.parse(await clients.ask('open'))).toEqual({ answered: 300, errors: [] });
      expect(JSON.parse(await clients.ask('ask'))).toEqual({ answered: 300, errors: [] });
    } finally {
      await clients.stop();
    }
  });
});
