import { afterEach, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import type { CliIo } from '../../src/cli/io.ts';
import { topCommand } from '../../src/cli/top.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { NOW } from './shop-status.ts';
import { type StubServer, startStubServer } from './stub-server.ts';

const servers: StubServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | undefined;
}

async function stub(): Promise<StubServer> {
  const server = await startStubServer();
  servers.push(server);
  return server;
}

async function top(args: readonly string[], over: Partial<CliIo> = {}): Promise<Run> {
  let stdout = '';
  let stderr = '';
  let status: number | undefined;
  const program = new Command().exitOverride();
  topCommand(program, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    env: { LANG: 'C.UTF-8' },
    cwd: '/',
    isTty: false,
    columns: 80,
    signal: new AbortController().signal,
    exit: (given) => {
      status = given;
    },
    ...over,
  });
  await program.parseAsync(['top', ...args], { from: 'user' });
  return { stdout, stderr, status };
}

describe('sluice top without a terminal', () => {
  it('prints one status, says so, and succeeds', async () => {
    const { url } = await stub();
    const run = await top(['--server', url]);
    expect(run.stdout).toContain('table 17, workers 2/2');
    expect(run.stdout).toMatch(/rack +1 +down +off/);
    expect(run.stderr).toBe('no terminal to show it live on: this is the status of now\n');
    expect(run.status).toBeUndefined();
  });

  it('prints one JSON line with --json, on a terminal too', async () => {
    const { url } = await stub();
    const run = await top(['--server', url, '--json'], { terminal: fakeTerminal({ columns: 80, rows: 24 }) });
    expect(JSON.parse(run.stdout)).toMatchObject({ tableVersion: 17 });
    expect(run.stderr).toBe('');
  });

  it('says where nobody answers', async () => {
    const server = await stub();
    await server.close();
    await expect(top(['--server', server.url])).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });
});

describe('sluice top on a terminal', () => {
  it('follows a real server until the command is told to stop, and prints nothing behind', async () => {
    const server = await stub();
    const terminal = fakeTerminal({ columns: 80, rows: 24 });
    const stopping = new AbortController();
    const running = top(['--server', server.url], { terminal, signal: stopping.signal });
    await terminal.shows('▸ cf       ✔ up');
    server.emit({
      type: 'platform.api.down',
      seq: 9,
      at: NOW + 60_000,
      platform: 'ocp',
      error: 'told at once',
    });
    await terminal.shows('told at once');
    terminal.type('w');
    await terminal.shows('tier 1: cf weight 40, ocp weight 40');
    stopping.abort();
    expect(await running).toEqual({ stdout: '', stderr: '', status: undefined });
    await terminal.lines();
    expect(terminal.isAlternate()).toBe(false);
    expect(terminal.isRaw()).toBe(false);
  });
});
