import type { Logger } from '../core/ports.ts';
import { createRedactor } from '../lib/redact.ts';
import { createLogger } from '../observe/logger.ts';
import type { CliIo } from './io.ts';

/** Logs go to standard error: standard output belongs to what was asked for. `SLUICE_LOG` sets the level. */
export function commandLogger(io: CliIo, json: boolean, secrets: readonly string[], name?: string): Logger {
  const redactor = createRedactor(secrets);
  return createLogger({
    level: io.env['SLUICE_LOG'] ?? 'info',
    redact: (line) => redactor.text(line),
    write: io.stderr,
    json: json || !io.isTty,
    ...(name === undefined ? {} : { name }),
  });
}
