import { spawn } from 'node:child_process';
import { SluiceError } from '../../src/core/errors.ts';
import { pinned } from './child.ts';

export interface OutputOptions {
  readonly core: number | undefined;
  readonly signal: AbortSignal;
}

/** Runs a program to its end, in a process that the signal ends, and hands back what it printed. */
export function output(
  name: string,
  command: string,
  args: readonly string[],
  { core, signal }: OutputOptions,
): Promise<string> {
  signal.throwIfAborted();
  return new Promise((done, fail) => {
    const [first, ...rest] = pinned({ command, args, core });
    const child = spawn(first!, rest, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    let printed = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    // Whoever stops the bench has a reason, and `AbortError` is not it.
    child.on('error', (error) => fail(signal.aborted ? signal.reason : error));
    child.on('close', (code, killed) => {
      if (code === 0) return done(printed);
      const why = complaints.trim();
      fail(new SluiceError('NOT_HEALTHY', `${name} ended with ${killed ?? code}`, { why }));
    });
  });
}
