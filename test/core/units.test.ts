import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  formatBytes,
  formatDuration,
  formatRate,
  formatRatio,
  parseBytes,
  parseDuration,
  parseRate,
  parseRatio,
} from '../../src/core/units.ts';

const MIB = 1024 ** 2;

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each(['500', '', '1 s', '-1s', '1S', '1sec', '1e3ms', '30d', 's'])(
    'refuses %j with a remedy',
    (text) => {
      const parsed = parseDuration(text);
      expect(parsed.ok).toBe(false);
      expect(!parsed.ok && parsed.remedy).toMatch(/\d/);
    },
  );

  it.each([
    [0, '0ms'],
    [12.3456, '12ms'],
    [500, '500ms'],
    [1_500, '1.5s'],
    [60_000, '1m'],
    [90_000, '1m30s'],
    [5_400_000, '1h30m'],
    [-250, '-250ms'],
  ])('prints %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('reads again what it printed, to the second above a minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (ms) => {
        const parsed = parseDuration(formatDuration(ms));
        expect(parsed.ok && Math.abs(parsed.value - ms)).toBeLessThanOrEqual(ms < 60_000 ? 0 : 500);
      }),
    );
  });
});

describe('sizes', () => {
  it.each([
    ['512K', 512 * 1024],
    ['256M', 256 * MIB],
    ['256Mi', 256 * MIB],
    ['256MB', 256 * MIB],
    ['1G', 1024 * MIB],
    ['1.5Gi', 1536 * MIB],
    ['100B', 100],
  ])('reads %s', (text, bytes) => {
    expect(parseBytes(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(['256', '256m', '', 'M', '-1M', '1 G', '9999999999T'])('refuses %j', (text) => {
    expect(parseBytes(text).ok).toBe(false);
  });

  it.each([
    [256 * MIB, '256Mi'],
    [1024 * MIB, '1Gi'],
    [1536 * MIB, '1536Mi'],
    [512 * 1024, '512Ki'],
    [123_456_789, '117.7Mi'],
    [900, '900B'],
    [0, '0B'],
  ])('prints %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('reads again exactly what it printed of whole mebibytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999 }), (mebibytes) => {
        expect(parseBytes(formatBytes(mebibytes * MIB))).toEqual({ ok: true, value: mebibytes * MIB });
      }),
    );
  });
});

describe('rates', () => {
  it.each([
    ['90rps', { rps: 90, perInstance: false }],
    ['90rps/instance', { rps: 90, perInstance: true }],
    ['5400rpm', { rps: 90, perInstance: false }],
    ['30rpm/instance', { rps: 0.5, perInstance: true }],
  ])('reads %s', (text, rate) => {
    expect(parseRate(text)).toEqual({ ok: true, value: rate });
  });

  it.each(['90', '90/s', '-1rps', 'rps', '90rps/host'])('refuses %j', (text) => {
    expect(parseRate(text).ok).toBe(false);
  });

  it('prints them', () => {
    expect(formatRate({ rps: 90, perInstance: true })).toBe('90rps/instance');
    expect(formatRate({ rps: 0.5, perInstance: false })).toBe('0.5rps');
  });
});

describe('parts of a whole', () => {
  it.each([
    ['70%', 0.7],
    ['100%', 1],
    ['0.25', 0.25],
    [0.25, 0.25],
    [1, 1],
    ['0%', 0],
  ])('reads %j', (given, ratio) => {
    expect(parseRatio(given)).toEqual({ ok: true, value: ratio });
  });

  it.each(['101%', '70', -0.1, 1.5, '', 'half', Number.NaN])('refuses %j', (given) => {
    expect(parseRatio(given).ok).toBe(false);
  });

  it('prints them', () => {
    expect(formatRatio(0.7)).toBe('70%');
    expect(formatRatio(0.125)).toBe('12.5%');
  });
});
