import { describe, expect, it } from '@jest/globals';
import { isTimeZone, lastDue } from '../../src/lib/cron-window.ts';

const at = (text: string): number => Date.parse(text);

describe('when something was due last', () => {
  it('is this very moment, or the one before', () => {
    expect(lastDue('*/5 * * * *', 'UTC', at('2026-03-01T10:07:00Z'))).toBe(at('2026-03-01T10:05:00Z'));
    expect(lastDue('*/5 * * * *', 'UTC', at('2026-03-01T10:05:00Z'))).toBe(at('2026-03-01T10:05:00Z'));
    expect(lastDue('*/5 * * * *', 'UTC', at('2026-03-01T10:04:59.999Z'))).toBe(at('2026-03-01T10:00:00Z'));
  });

  it('is never to come, of what is due each second too', () => {
    expect(lastDue('* * * * * *', 'UTC', at('2026-03-01T10:00:00.500Z'))).toBe(at('2026-03-01T10:00:00Z'));
    expect(lastDue('* * * * * *', 'UTC', at('2026-03-01T10:00:00Z'))).toBe(at('2026-03-01T10:00:00Z'));
  });

  it('goes by the clock on the wall of its zone', () => {
    expect(lastDue('0 3 * * *', 'Europe/Berlin', at('2026-07-01T12:00:00Z'))).toBe(
      at('2026-07-01T01:00:00Z'),
    );
    expect(lastDue('0 3 * * *', 'Europe/Berlin', at('2026-01-15T12:00:00Z'))).toBe(
      at('2026-01-15T02:00:00Z'),
    );
  });

  it('is unknown of what is no expression', () => {
    expect(lastDue('often', 'UTC', 0)).toBeUndefined();
    expect([isTimeZone('Europe/Berlin'), isTimeZone('Mars/Olympus')]).toEqual([true, false]);
  });
});
