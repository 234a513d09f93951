import { createRedactor } from '../lib/redact.ts';
import type { CliIo } from './io.ts';

/** The same, but nothing that was hidden leaves by it: the last net under everything a command prints. */
export function redactingIo(io: CliIo): CliIo {
  let clean = (text: string): string => text;
  return {
    stdout: (text) => io.stdout(clean(text)),
    stderr: (text) => io.stderr(clean(text)),
    env: io.env,
    cwd: io.cwd,
    isTty: io.isTty,
    columns: io.columns,
    // Asked for late: looking at standard input alone opens it.
    get terminal() {
      return io.terminal;
    },
    signal: io.signal,
    ...(io.onHangUp ? { onHangUp: io.onHangUp } : {}),
    exit: io.exit,
    hide(secrets) {
      const redactor = createRedactor(secrets);
      clean = (text) => redactor.text(text);
    },
  };
}
