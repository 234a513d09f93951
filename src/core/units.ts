/**
 * Durations, sizes, rates and percentages as people write them. Parsers return; they never throw, and their
 * faults never repeat the text they were given: it may hold a secret.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: string; readonly remedy: string };

/** Node's timers take a signed 32-bit number of milliseconds; anything longer would fire at once. */
export const MAX_DURATION_MS = 2_147_483_647;

const MS_PER: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** `500ms`, `1s`, `2m`, `1h`, `1m30s` → milliseconds. More than the default is for what no timer waits for. */
export function parseDuration(text: string, maxMs = MAX_DURATION_MS): Parsed<number> {
  const trimmed = text.trim();
  if (!DURATION.test(trimmed)) {
    return refused('not a duration', 'write a number with its unit: 500ms, 1s, 2m or 1h');
  }
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(DURATION_PART)) {
    ms += Number(amount) * (MS_PER[unit ?? ''] ?? 0);
  }
  if (ms > maxMs) return refused('too long a duration', `the longest is ${Math.floor(maxMs / 86_400_000)}d`);
  return { ok: true, value: Math.round(ms * 1000) / 1000 };
}

/** `90000` → `1m30s`, `1500` → `1.5s`, `12.3456` → `12ms`: what `parseDuration` reads again. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  const whole = Math.round(ms);
  if (whole < 1_000) return `${whole}ms`;
  if (whole < 60_000) return `${trimZeros((whole / 1_000).toFixed(3))}s`;
  let left = Math.round(whole / 1_000);
  let text = '';
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

const BYTES_PER: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};
const SIZE = /^(\d+(?:\.\d+)?)([BKMGT])(?:i|B|iB)?$/;

/** `256M`, `256Mi`, `256MB`, `1G`, `512K` → bytes; always powers of 1024. */
export function parseBytes(text: string): Parsed<number> {
  const [, amount, unit] = SIZE.exec(text.trim()) ?? [];
  const factor = BYTES_PER[unit ?? ''];
  if (amount === undefined || factor === undefined) {
    return refused('not a size', 'write a number with its unit: 512K, 256M or 1G');
  }
  const bytes = Math.round(Number(amount) * factor);
  if (!Number.isSafeInteger(bytes)) return refused('too big a size', 'the unit may be wrong');
  return { ok: true, value: bytes };
}

/** `268435456` → `256Mi`. Exact while a unit divides it or one decimal says it all; else one decimal. */
export function formatBytes(bytes: number): string {
  for (const unit of ['T', 'G', 'M', 'K'] as const) {
    const factor = BYTES_PER[unit] ?? 1;
    if (bytes < factor) continue;
    // 1536M is how people write one and a half gibibytes, and it stays exact.
    const smaller = factor / 1024;
    if (bytes % factor !== 0 && smaller > 1 && bytes % smaller === 0 && bytes / smaller < 10_240) continue;
    return `${trimZeros((bytes / factor).toFixed(1))}${unit}i`;
  }
  return `${Math.round(bytes)}B`;
}

export interface Rate {
  readonly rps: number;
  readonly perInstance: boolean;
}

const RATE = /^(\d+(?:\.\d+)?)(rps|rpm)(\/instance)?$/;

/** `90rps`, `90rps/instance`, `5400rpm` → requests per second. */
export function parseRate(text: string): Parsed<Rate> {
  const [, amount, unit, perInstance] = RATE.exec(text.trim()) ?? [];
  if (amount === undefined) {
    return refused('not a rate', 'write requests with their unit: 90rps, 90rps/instance or 5400rpm');
  }
  const rps = unit === 'rpm' ? Number(amount) / 60 : Number(amount);
  return { ok: true, value: { rps, perInstance: perInstance !== undefined } };
}

export function formatRate(rate: Rate): string {
  return `${trimZeros(rate.rps.toFixed(3))}rps${rate.perInstance ? '/instance' : ''}`;
}

const PERCENTAGE = /^(\d+(?:\.\d+)?)%$/;

/** `70%` → 0.7. A bare number between 0 and 1 is a ratio already: `0.7`. */
export function parseRatio(given: string | number): Parsed<number> {
  const text = String(given).trim();
  const [, percent] = PERCENTAGE.exec(text) ?? [];
  const value =
    percent !== undefined ? Number(percent) / 100 : /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  // NaN compares false, so it is refused here too.
  if (!(value <= 1))
    return refused('not a part of a whole', 'write a percentage (70%) or a number from 0 to 1');
  return { ok: true, value };
}

/** 0.7 → `70%`. */
export function formatRatio(ratio: number): string {
  return `${trimZeros((ratio * 100).toFixed(1))}%`;
}

function refused(fault: string, remedy: string): { ok: false; fault: string; remedy: string } {
  return { ok: false, fault, remedy };
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
