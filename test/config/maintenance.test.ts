import { describe, expect, it } from '@jest/globals';
import { faultsOf, loadText } from './support.ts';

function file(windows: string, policy = 'active-active'): string {
  return `version: 1
timezone: Europe/Berlin
platforms:
  here: { provider: static, origins: ["http://127.0.0.1:1"], maintenance: ${windows} }
  there: { provider: static, origins: ["http://127.0.0.1:2"] }
applications:
  shop: { targets: { here: {}, there: {} }, health: { path: / }, policy: ${policy} }
  alone: { targets: { there: {} }, health: { path: / }, routes: [{ host: alone.example.com }] }
`;
}

describe('maintenance of a platform', () => {
  it('is that of every application which runs there, beside what its policy says', () => {
    const own = '{ maintenance: [{ platform: there, cron: 0 3 * * *, for: 1h }] }';
    const { settings, diagnostics } = loadText(file('[{ cron: 0 2 * * SUN, for: 2h }]', own));
    expect(diagnostics).toEqual([]);
    const { shop, alone } = settings?.applications ?? {};
    expect(shop?.policy.maintenance?.map(({ platform }) => platform)).toEqual(['there', 'here']);
    expect(alone?.policy.maintenance).toBeUndefined();
    const window = shop?.policy.maintenance?.[1]?.window;
    // Two in Berlin, on a Sunday in summer.
    expect(window?.isOpen(Date.parse('2026-07-05T00:30:00Z'))).toBe(true);
    expect(window?.isOpen(Date.parse('2026-07-05T02:30:00Z'))).toBe(false);
  });

  it.each([
    ['[{ cron: never, for: 1h }]', 'platforms.here.maintenance'],
    ['[{ cron: 0 2 * * *, for: 1h, platform: here }]', 'platforms.here.maintenance'],
    ['[{ cron: 0 2 * * *, for: 1h, unless: "target." }]', 'not a condition'],
  ])('%s is refused at its place', (windows, expected) => {
    expect(faultsOf(file(windows))).toEqual([expect.stringContaining(expected)]);
  });
});
