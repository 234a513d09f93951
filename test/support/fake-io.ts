import type { CliIo } from '../../src/cli/io.ts';
import { redactingIo } from '../../src/cli/redacting-io.ts';

export interface FakeIo {
  readonly io: CliIo;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The last status set; undefined when none was: 0. */
  readonly status: () => number | undefined;
  /** Ctrl-C. */
  interrupt(): void;
}

/** A command's world in a test: what it prints is kept, Ctrl-C is a function. */
export function fakeIo(
  given: {
    readonly cwd?: string;
    readonly env?: Record<string, string>;
    readonly isTty?: boolean;
    readonly onStdout?: (text: string) => void;
  } = {},
): FakeIo {
  const out: string[] = [];
  const err: string[] = [];
  const stop = new AbortController();
  let status: number | undefined;
  const io = redactingIo({
    stdout(text) {
      out.push(text);
      given.onStdout?.(text);
    },
    stderr: (text) => void err.push(text),
    env: given.env ?? {},
    cwd: given.cwd ?? '/',
    isTty: given.isTty ?? false,
    columns: 100,
    signal: stop.signal,
    exit(value) {
      status = value;
    },
  });
  return {
    io,
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    status: () => status,
    interrupt: () => stop.abort(),
  };
}
