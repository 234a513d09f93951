import type { Readable, Writable } from 'node:stream';

/**
 * All a command may touch of the process it runs in. Commands take it as an argument, so tests run them in-process
 * and nothing but `main.ts` looks at `process`.
 *
 * Every command file exports one function of this shape and registers itself on commander's program:
 * `export function validateCommand(program: Command, io: CliIo): void`.
 */
export interface CliIo {
  /** Machine-readable output and what was asked for. Writes the text as it is: the caller ends its lines. */
  readonly stdout: (text: string) => void;
  /** Everything meant for a person when `--json` is on, and all complaints. */
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths on the command line start here. */
  readonly cwd: string;
  readonly isTty: boolean;
  readonly columns: number;
  /** For what takes the whole screen: there only when input and output both are a terminal that can do it. */
  readonly terminal?: { readonly input: Readable; readonly output: Writable } | undefined;
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** SIGHUP, from then on; without a listener it ends the process. */
  readonly onHangUp?: (listener: () => void) => void;
  /** Sets the exit status and returns: the process ends when nothing is left to do. */
  readonly exit: (status: number) => void;
  /** From now on these do not leave by `stdout` or `stderr`. */
  readonly hide?: (secrets: readonly string[]) => void;
}
