import type { Json } from './json.ts';

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `500m`, `256Mi`, `2`, as a number; undefined for what is none. */
export function quantity(text: Json | undefined): number | undefined {
  const match = /^([+-]?\d+(?:\.\d+)?)([numkMGT]|[KMGT]i)?$/.exec(String(text ?? ''));
  return match ? Number(match[1]) * (FACTORS[match[2] ?? ''] ?? 1) : undefined;
}

/** A number in the unit people wrote its limit in, where it comes out whole; `0` needs none. */
export function formatLike(sample: string | undefined, value: number): string {
  if (value === 0) return '0';
  const binary = /i$/.test(sample ?? '');
  const units = binary ? ['Gi', 'Mi', 'Ki', ''] : ['', 'm'];
  for (const unit of units) {
    const count = value / (FACTORS[unit] ?? 1);
    if (Math.abs(count - Math.round(count)) < 1e-9 && Math.round(count) !== 0)
      return `${Math.round(count)}${unit}`;
  }
  return String(value);
}
