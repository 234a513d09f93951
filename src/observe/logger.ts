import { pino } from 'pino';
import type { Logger } from '../core/ports.ts';
import { isoTime } from '../lib/iso-time.ts';

export interface LoggerOptions {
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  readonly level: string;
  /** Applied to each line: secrets must not reach it by any field. */
  readonly redact: (line: string) => string;
  readonly write: (line: string) => void;
  /** JSON lines for machines; else `time level message fields`. */
  readonly json: boolean;
  /** Which process speaks: `controller`, `worker 0`. */
  readonly name?: string;
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error' };

/** pino's levels and serialisation, our line. */
export function createLogger(options: LoggerOptions): Logger {
  const { redact, write, json } = options;
  const base = options.name === undefined ? null : { process: options.name };
  const stream = { write: (line: string) => write(redact(json ? line : forPeople(line))) };
  return pino({ level: options.level, base }, stream);
}

function forPeople(line: string): string {
  const { level, time, msg, process: name, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const at = isoTime(time as number).slice(11, 23);
  const rest = Object.entries(fields)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  return `${at} ${LEVELS[level as number] ?? level} ${name === undefined ? '' : `${name}: `}${msg}${rest}\n`;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
