import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../core/ports.ts';

/** After SIGTERM, before SIGKILL. */
const GRACE_MS = 5_000;
const TAIL_LINES = 20;
const LINE_LENGTH = 1_000;
/** Whoever left the group may hold the pipes for ever. */
const LAST_OUTPUT_MS = 500;

export interface CommandWish {
  /** For /bin/sh. */
  readonly command: string;
  readonly cwd: string;
  /** Whole. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly onLine: (line: string) => void;
}

/** `why` as a person reads it: `exited with 3`, `killed by SIGKILL`, `did not end in 60 s`. */
export type CommandOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: string; readonly tail: readonly string[] };

export type RunCommand = (wish: CommandWish) => Promise<CommandOutcome>;

/** Runs a command of the user's in a process group of its own; one that takes too long is ended with all it started. */
export function commandRunner(clock: Clock): RunCommand {
  return function runCommand({ command, cwd, env, timeoutMs, onLine }) {
    return new Promise((resolve) => {
      const tail: string[] = [];
      const child = spawn('/bin/sh', ['-c', command], {
        cwd,
        env: { ...env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let late = false;
      let over = false;
      const timers = [
        clock.after(timeoutMs, () => {
          late = true;
          signalGroup(child, 'SIGTERM');
        }),
        clock.after(timeoutMs + GRACE_MS, () => signalGroup(child, 'SIGKILL')),
      ];
      function take(line: string): void {
        const cut = line.slice(0, LINE_LENGTH);
        tail.push(cut);
        if (tail.length > TAIL_LINES) tail.shift();
        onLine(cut);
      }
      const flush = [child.stdout, child.stderr].map((stream) => linesOf(stream, take));
      function end(why: string | undefined): void {
        if (over) return;
        over = true;
        for (const stop of timers) stop();
        for (const last of flush) last();
        child.stdout.destroy();
        child.stderr.destroy();
        resolve(why === undefined ? { ok: true } : { ok: false, why, tail });
      }
      child.on('error', (error) => end(error.message));
      child.on('exit', (code, signal) => {
        const took = late ? `did not end in ${timeoutMs / 1000} s` : undefined;
        const how = signal === null ? `exited with ${code}` : `killed by ${signal}`;
        const why = took ?? (code === 0 ? undefined : how);
        // What the command left running goes with it, and so does its hold on the pipes.
        if (late) signalGroup(child, 'SIGKILL');
        const giveUp = clock.after(LAST_OUTPUT_MS, () => end(why));
        child.on('close', () => {
          giveUp();
          end(why);
        });
      });
    });
  };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left to hear it.
  }
}

/** Calls `take` with each line, and the function it returns with what came after the last one. */
function linesOf(stream: NodeJS.ReadableStream, take: (line: string) => void): () => void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, LINE_LENGTH);
    for (const line of lines) take(line);
  });
  return () => {
    if (rest !== '') take(rest);
    rest = '';
  };
}
