import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceSpec } from '../../src/core/runner.ts';
import { identify, isAlive } from '../../src/runner/proc.ts';

/** Small applications that the tests run; written to a folder of their own. */
export const APPLICATIONS = {
  /** Answers with its port and release; says when it drains. */
  'server.js': `
    const server = require('node:http').createServer((req, res) => {
      res.setHeader('x-release', process.env.SLUICE_RELEASE ?? '');
      res.end(JSON.stringify({ pid: process.pid, port: process.env.PORT, env: process.env }));
    });
    server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening on ' + process.env.PORT));
    process.on('SIGTERM', () => { console.log('draining'); setTimeout(() => process.exit(0), 100); });`,
  /** Ends at once with an error. */
  'crash.js': `console.error('no database'); process.exit(3);`,
  /** Never listens. */
  'silent.js': `setInterval(() => {}, 1000);`,
  /** Cannot be stopped politely. */
  'stubborn.js': `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready');`,
  /** Starts a process of its own and waits. */
  'parent.js': `
    const child = require('node:child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM',()=>{});setInterval(()=>{},1000)"], { stdio: 'inherit' });
    console.log('child ' + child.pid);
    setInterval(() => {}, 1000);`,
} as const;

export async function applicationFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-runner-'));
  for (const [name, text] of Object.entries(APPLICATIONS)) await writeFile(join(folder, name), text);
  return folder;
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A spec with the values that most tests want. */
export function specOf(cwd: string, command: string, more: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    id: 'web/0',
    command,
    cwd,
    env: {},
    startDetection: { kind: 'tcp' },
    startTimeoutMs: 10_000,
    stopGraceMs: 2_000,
    ...more,
  };
}

export function ask(port: number): Promise<{ pid: number; env: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });
}

/** Zombies are dead, whoever forgot to look at them. */
export function exists(pid: number): boolean {
  return isAlive(identify(pid));
}

/** Polls because nobody tells us of processes that are not our children. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
