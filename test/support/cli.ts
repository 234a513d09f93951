import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js');

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
}

/** Runs `sluice …` as a user would: the built program in a process of its own. */
export function sluice(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<CliResult> {
  const child = start(args, cwd, env);
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((done) =>
    child.on('close', (status) => done({ status, stdout, stderr, pid: child.pid ?? 0 })),
  );
}

export interface Serving {
  readonly url: string;
  /** In the order of `gateway.listen`. */
  readonly ports: readonly number[];
  /** What it has written to standard error so far. */
  readonly log: () => string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Its exit status, once it has ended; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** `sluice serve …` on free ports; resolves when it listens. */
export function serve(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Serving> {
  return serveAsWritten(['--port', '0', '--admin-port', '0', ...args], cwd, env);
}

/** The same where the file says. */
export function serveAsWritten(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Serving> {
  const child = start(['serve', '--json', ...args], cwd, env);
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | null>((done) => child.on('close', done));
  return new Promise((ready, fail) => {
    child.on('exit', (code) => fail(new Error(`serve ended with ${code}: ${errors}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const facts = JSON.parse(line) as { ports: number[]; adminPort: number };
      ready({
        url: `http://127.0.0.1:${facts.ports[0]}`,
        ports: facts.ports,
        log: () => errors,
        adminUrl: `http://127.0.0.1:${facts.adminPort}`,
        pid: child.pid!,
        exited,
        async stop() {
          child.kill('SIGTERM');
          await exited;
        },
      });
    });
  });
}

function start(args: readonly string[], cwd: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    // Nothing of the test runner's own may reach it, least of all NODE_OPTIONS.
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, SLUICE_STOP_WITH_STDIN: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** The folder of an example of the repository. */
export function example(name: string): string {
  return join(resolve(import.meta.dirname, '../../examples'), name);
}
