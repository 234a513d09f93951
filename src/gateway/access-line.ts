import { isoTime } from '../lib/iso-time.ts';
import { remembered } from '../lib/remembered.ts';
import { redactQuery } from './redact-query.ts';
import type { RequestRecord } from './request-record.ts';
import { flagsText } from './response-flags.ts';
import type { CompiledRoute, CompiledTarget } from './routes.ts';

/** Longer values are cut: a line is for reading, and its length is in the hands of strangers. */
const MAX_TARGET = 4_096;
const MAX_FIELD = 1_024;

/** Writes one line for a record, ASCII only, with its end. */
export type AccessLine = (record: RequestRecord, now: number) => string;

/**
 * One JSON object a line. Put together by hand: a general serializer walks an object made for it and costs more than
 * the rest of the request. What comes from outside is escaped, what is ours needs none. `now` is epoch milliseconds.
 */
export function jsonLine(record: RequestRecord, now: number): string {
  const { head, client, target, route } = record;
  const duration = record.endedAt - record.startedAt;
  let line =
    `{"time":"${timeText(now - duration)}","client":"${client.address}","method":"${head.method}",` +
    `"host":${known(head.host)},"path":${quoted(cut(redactQuery(head.target), MAX_TARGET))},` +
    `"protocol":"${head.protocol ?? 'HTTP/1.1'}","status":${record.status},"bytes":${record.sent},` +
    `"received":${record.received},"durationMs":${millis(duration)}`;
  if (record.headAt > 0) line += `,"ttfbMs":${millis(record.headAt - record.startedAt)}`;
  if (target !== undefined) line += placeOf(target, route);
  else if (route !== undefined) line += `,"application":${quoted(route.application)}`;
  const last = record.attempts[record.attempts.length - 1];
  if (last !== undefined) line += `,"origin":${known(last.origin)}`;
  line += `,"attempts":[${attemptsText(record)}],"flags":"${flagsText(record.flags)}"`;
  line += `,"requestId":"${record.marks.requestId}","traceId":"${record.marks.traceId}"`;
  const agent = head.field('user-agent');
  if (agent !== undefined) line += `,"userAgent":${known(cut(agent, MAX_FIELD))}`;
  const referer = head.field('referer');
  if (referer !== undefined) line += `,"referer":${quoted(cut(redactQuery(referer), MAX_FIELD))}`;
  return `${line}}\n`;
}

const places = new WeakMap<CompiledTarget, string>();

/** The same for all requests as long as the table stays. */
function placeOf(target: CompiledTarget, route: CompiledRoute | undefined): string {
  let text = places.get(target);
  if (text === undefined) {
    const { platform, release } = target;
    text =
      (route === undefined ? '' : `,"application":${quoted(route.application)}`) +
      `,"platform":${quoted(platform)}` +
      (release === undefined ? '' : `,"release":${quoted(release)}`);
    places.set(target, text);
  }
  return text;
}

/** Apache's combined format, for the tools that read nothing else. */
export function combinedLine(record: RequestRecord, now: number): string {
  const { head, client } = record;
  const began = now - (record.endedAt - record.startedAt);
  const target = plain(cut(redactQuery(head.target), MAX_TARGET));
  const referer = head.field('referer');
  const agent = head.field('user-agent');
  return (
    `${client.address} - - [${apacheTime(began)}] "${head.method} ${target} ${head.protocol ?? 'HTTP/1.1'}" ` +
    `${record.status} ${record.sent === 0 ? '-' : record.sent} ` +
    `"${referer === undefined ? '-' : plain(cut(redactQuery(referer), MAX_FIELD))}" ` +
    `"${agent === undefined ? '-' : plain(cut(agent, MAX_FIELD))}"\n`
  );
}

/** In the place of lines that found no room. */
export function droppedJsonLine(count: number, now: number): string {
  return `{"time":"${timeText(now)}","dropped":${count}}\n`;
}

export function droppedCombinedLine(count: number, now: number): string {
  return `- - - [${apacheTime(now)}] "-" 0 - "-" "sluice: ${count} lines dropped"\n`;
}

function attemptsText({ attempts }: RequestRecord): string {
  let text = '';
  for (const { origin, outcome, ms } of attempts) {
    text += `${text === '' ? '' : ','}{"origin":${known(origin)},"outcome":"${outcome}","ms":${millis(ms)}}`;
  }
  return text;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length);
}

/** Anything but the printable characters of ASCII without quote and backslash. */
const SPECIAL = /["\\]|[^ -~]/;
const EACH_SPECIAL = /["\\]|[^ -~]/g;

/** A JSON string. Field values are bytes, read as Latin-1: beyond ASCII they are escaped, not guessed at. */
export function quoted(text: string): string {
  return SPECIAL.test(text) ? `"${text.replace(EACH_SPECIAL, unicodeEscape)}"` : `"${text}"`;
}

/** The same of what comes again and again: names of ours, hosts, what browsers call themselves. */
const known = remembered(quoted, { most: 512, longest: 256 });

function unicodeEscape(char: string): string {
  if (char === '"') return '\\"';
  if (char === '\\') return '\\\\';
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Nothing that ends a quoted part, and nothing a terminal would act upon. */
function plain(text: string): string {
  return SPECIAL.test(text) ? text.replace(EACH_SPECIAL, hexEscape) : text;
}

function hexEscape(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** To a hundredth: finer is noise. By whole numbers, for a fraction takes four times as long to print. */
function millis(ms: number): string {
  const hundredths = Math.max(0, Math.round(ms * 100));
  const whole = Math.floor(hundredths / 100);
  const rest = hundredths - 100 * whole;
  if (rest === 0) return `${whole}`;
  return rest < 10 ? `${whole}.0${rest}` : `${whole}.${rest}`;
}

let second = Number.NaN;
let secondText = '';

/** ISO 8601; what many lines share is made once a second. */
function timeText(at: number): string {
  const whole = Math.floor(at);
  const ms = ((whole % 1_000) + 1_000) % 1_000;
  if (whole - ms !== second) {
    second = whole - ms;
    secondText = isoTime(second).slice(0, 20);
  }
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let apacheSecond = Number.NaN;
let apacheText = '';

/** `10/Oct/2000:13:55:36 +0000` */
function apacheTime(at: number): string {
  const whole = Math.floor(at / 1_000);
  if (whole !== apacheSecond) {
    apacheSecond = whole;
    const iso = isoTime(whole * 1_000);
    const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? '';
    apacheText = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  }
  return apacheText;
}
