import type { LogEntry } from '../core/logs.ts';
import { isoTime } from '../lib/iso-time.ts';

/** Facility user, severity informational or, for our own words about what is missing, warning. */
const INFO = 14;
const WARNING = 12;
/** The enterprise number that RFC 5612 sets aside for those who have none. */
const STRUCTURE = 'sluice@32473';

/**
 * RFC 5424, framed by its length (RFC 6587 §3.4.1, RFC 5425 §4.3): the platform is the host, the instance the process, the
 * source the kind of message.
 */
export function syslogMessage(entry: LogEntry): string {
  const { at, application, platform, source, instance, release, number, text } = entry;
  const header = [
    `<${source === 'sluice' ? WARNING : INFO}>1`,
    isoTime(at),
    field(platform, 255),
    field(application, 48),
    field(instance, 128),
    field(source, 32),
  ];
  const parameters = [
    ['platform', platform],
    ['release', release],
    ['number', number],
    ['instance', instance],
  ] as const;
  const data = parameters
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escaped(String(value))}"`]))
    .join('');
  const message = `${header.join(' ')} [${STRUCTURE}${data}] ${text}`;
  return `${Buffer.byteLength(message)} ${message}`;
}

/** Printable ASCII without blanks; `-` for nothing. */
function field(value: string | undefined, longest: number): string {
  const plain = (value ?? '').replaceAll(/[^\x21-\x7e]/g, '_').slice(0, longest);
  return plain === '' ? '-' : plain;
}

function escaped(value: string): string {
  return value.replaceAll(/[\\"\]]/g, '\\$&');
}
