import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { startChild } from '../child.ts';
import type { Contender } from '../contender.ts';

const MAIN = resolve(import.meta.dirname, 'http-proxy-process.js');

export const httpProxy: Contender = {
  name: 'http-proxy',
  describe() {
    const { version } = createRequire(import.meta.url)('http-proxy/package.json') as { version: string };
    return { version };
  },
  async start({ originUrl, folder, core }) {
    const child = await startChild({
      name: 'http-proxy',
      command: process.execPath,
      args: [MAIN, originUrl],
      core,
      cwd: folder,
      ready: (line) => line.startsWith('{'),
    });
    const { port } = JSON.parse(child.readyLine) as { port: number };
    return { url: `http://127.0.0.1:${port}`, dataPathPid: child.pid, child };
  },
};
