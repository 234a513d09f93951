import { type ChildProcess, spawn } from 'node:child_process';
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { ask, type Cleanup, closedPort, startGateway, tableOf, until } from './harness.ts';

/** An origin in a process of its own, so that it can be killed and frozen as a whole. Prints what it executed. */
const ORIGIN = `
const http = require('node:http');
let broken = false;
http.createServer((request, response) => {
  if (request.url === '/break') broken = true;
  if (request.url === '/mend') broken = false;
  request.resume();
  request.on('end', () => {
    if (broken) return response.writeHead(503).end();
    if (request.method === 'POST') console.log(request.url);
    setTimeout(() => response.end('ok'), 5);
  });
}).listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'));
`;

class OriginProcess {
  readonly port: number;
  readonly executed: string[] = [];
  #child: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['-e', ORIGIN, String(this.port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    let ready = false;
    child.stdout?.on('data', (text: Buffer) => {
      for (const line of text.toString().split('\n')) {
        if (line === 'ready') ready = true;
        else if (line !== '') this.executed.push(line);
      }
    });
    await until(() => ready, 5_000);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

interface Tally {
  readonly get: { sent: number; failed: string[]; slowest: number };
  readonly post: { sent: string[]; failed: number };
}

describe('the gateway while platforms die under load', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  it('answers every safe request and executes nothing unsafe twice', async () => {
    const origins = [];
    for (let i = 0; i < 3; i += 1) {
      const origin = new OriginProcess(await closedPort());
      cleanup.tasks.push(() => origin.stop());
      await origin.start();
      origins.push(origin);
    }
    const [a, b, c] = origins as [OriginProcess, OriginProcess, OriginProcess];
    const table = tableOf({
      a: { urls: [a.url], share: 0.4 },
      b: { urls: [b.url], share: 0.3 },
      c: { urls: [c.url], share: 0.3 },
    });
    const { port, ejections } = await startGateway(cleanup, createCompatWire, table, (base) => ({
      ejection: { ...base.ejection, baseMs: 800 },
      timeouts: { ...base.timeouts, headMs: 2_000 },
    }));
    const load = startLoad(cleanup, port);
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const detected: number[] = [];
    const outage = async (platform: string, begin: () => unknown, end: () => unknown): Promise<void> => {
      const before = ejections.length;
      const startedAt = performance.now();
      await begin();
      await until(() =>
        ejections.slice(before).some((e) => e.platform === platform && e.reason !== 'readmitted'),
      );
      detected.push(performance.now() - startedAt);
      await pause(700);
      await end();
      await until(
        () => ejections.slice(before).some((e) => e.platform === platform && e.reason === 'readmitted'),
        8_000,
      );
    };

    await pause(300);
    await outage(
      'a',
      () => a.stop(),
      () => a.start(),
    );
    await outage(
      'b',
      () => b.signal('SIGSTOP'),
      () => b.signal('SIGCONT'),
    );
    await outage(
      'c',
      () => ask(c.port, { path: '/break' }),
      () => ask(c.port, { path: '/mend' }),
    );
    const tally = await load.stop();

    console.info(
      `drill: ${tally.get.sent} GET, slowest ${Math.round(tally.get.slowest)} ms; ` +
        `${tally.post.sent.length} POST, ${tally.post.failed} failed; detected after ${detected.map(Math.round).join(', ')} ms`,
    );
    expect(tally.get.failed).toEqual([]);
    expect(tally.get.slowest).toBeLessThan(1_500);
    expect(Math.max(...detected)).toBeLessThan(1_000);
    const executed = origins.flatMap((origin) => origin.executed);
    expect(executed).toHaveLength(new Set(executed).size);
  }, 30_000);
});

/** 200 requests/s whatever comes back, a tenth of them POST with an id of its own. */
function startLoad(cleanup: Cleanup, port: number): { stop(): Promise<Tally> } {
  const agent = new http.Agent({ keepAlive: true });
  const tally: Tally = { get: { sent: 0, failed: [], slowest: 0 }, post: { sent: [], failed: 0 } };
  const running = new Set<Promise<void>>();
  let count = 0;

  async function get(): Promise<void> {
    tally.get.sent += 1;
    try {
      const { status, ms } = await ask(port, { agent });
      tally.get.slowest = Math.max(tally.get.slowest, ms);
      if (status !== 200) tally.get.failed.push(String(status));
    } catch (error) {
      tally.get.failed.push(String(error));
    }
  }

  async function post(): Promise<void> {
    const path = `/order/${count}`;
    tally.post.sent.push(path);
    try {
      const { status } = await ask(port, { agent, method: 'POST', path, body: 'x' });
      if (status !== 200) tally.post.failed += 1;
    } catch {
      tally.post.failed += 1;
    }
  }

  const timer = setInterval(() => {
    for (let i = 0; i < 2; i += 1) {
      count += 1;
      const request = count % 10 === 0 ? post() : get();
      running.add(request);
      void request.finally(() => running.delete(request));
    }
  }, 10);
  cleanup.tasks.unshift(() => {
    clearInterval(timer);
    agent.destroy();
  });
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      return tally;
    },
  };
}
