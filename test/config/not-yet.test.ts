import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { NOT_YET, type NotYet } from '../../src/config/not-yet.ts';
import { faultsOf, loadText, soundFile } from './support.ts';

/** A sound file in which the example of the row stands at its path. */
function fileWith(row: NotYet): { text: string; path: string } {
  const root: Record<string, unknown> = {
    version: 1,
    platforms: { here: { provider: 'selfhosted', driver: 'process' } },
    applications: { shop: { source: '.', targets: { here: {} } } },
  };
  const names: Record<string, string> = {
    platforms: 'here',
    applications: 'shop',
    targets: 'here',
    processes: 'other',
  };
  let node: Record<string, unknown> = root;
  const segments = row.path.split('.');
  const path: string[] = [];
  for (const [i, segment] of segments.entries()) {
    if (segment === '*' && (segments[i - 1] === 'routes' || segments[i - 1] === 'listen')) continue;
    const web = segments[i - 1] === 'processes' && i < segments.length - 1;
    const key = segment === '*' ? (web ? 'web' : (names[segments[i - 1] ?? ''] ?? 'x')) : segment;
    const isList = segments[i + 1] === '*' && (segment === 'routes' || segment === 'listen');
    path.push(isList ? `${key}[0]` : key);
    if (i === segments.length - 1) {
      node[key] = row.example;
    } else if (isList) {
      const item: Record<string, unknown> = segment === 'listen' ? { port: 8080 } : {};
      node[key] = [item];
      node = item;
    } else {
      const next = (node[key] ?? {}) as Record<string, unknown>;
      node[key] = next;
      node = next;
    }
  }
  return { text: stringify(root), path: path.join('.') };
}

describe('what is not built yet', () => {
  it.each(NOT_YET.map((row) => [row.path, row] as const))(
    '%s is refused by name and by nothing else',
    (_path, row) => {
      const { text, path } = fileWith(row);
      const { settings, diagnostics } = loadText(text);
      expect(settings).toBeUndefined();
      expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([
        expect.objectContaining({
          path,
          summary: `not built yet: ${row.what}`,
          remedy: expect.stringMatching(/^remove it/),
        }),
      ]);
      expect(diagnostics[0]?.line).toBeGreaterThan(1);
    },
  );

  it('points at the very value or key', () => {
    const application = 'data: { replica: {} }\nhealth: { vantage: {} }';
    expect(faultsOf(soundFile({ application }))).toEqual([
      '7:13 error applications.shop.data.replica: not built yet: watching replication lag — remove it',
      '8:15 error applications.shop.health.vantage: not built yet: several vantage points — remove it',
    ]);
  });
});
