import type { Logger } from '../core/ports.ts';
import { createRedactor } from '../lib/redact.ts';
import { createLogger } from '../observe/logger.ts';
import type { CliIo } from './io.ts';

/** Logs go to standard error: standard output belongs to what was asked for. `SLUICE_LOG` sets the level. */
export function commandLogger(
  io: CliIo,
  json: boolean,
  /** Or how to leave them out, where they may become others. */
  secrets: readonly string[] | ((line: string) => string),
  name?: string,
): Logger {
  return createLogger({
    level: io.env['SLUICE_LOG'] ?? 'info',
    redact: typeof secrets === 'function' ? secrets : createRedactor(secrets).text,
    write: io.stderr,
    json: json || !io.isTty,
    ...(name === undefined ? {} : { name }),
  });
}
