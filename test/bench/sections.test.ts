import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PUBLISHED, ROOT } from './folders.ts';
import { readReport } from './publish.ts';
import { readmeSection, SECTIONS, withSection } from './sections.ts';

const published = readReport(readFileSync(PUBLISHED, 'utf8'), PUBLISHED);

describe('the numbers in the documents', () => {
  it.each(SECTIONS.map(({ file, write }) => [file, write] as const))(
    'of %s are those of the published report, unchanged (npm run bench -- --readme test/bench/results/latest.json)',
    (file, write) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      expect(text).toBe(withSection(text, write(published)));
    },
  );

  it('say when and on what they were measured, and have a row for each work', () => {
    const section = readmeSection(published);
    expect(section).toContain(published.at.slice(0, 10));
    expect(section).toContain(published.machine.cpu);
    expect(section).toContain(`nginx ${published.versions['nginx']}`);
    for (const { name } of published.works) expect(section).toContain(`| ${name} |`);
  });

  it('replace what stands between the markers and nothing else', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const changed = withSection(readme, 'new numbers')!;
    const [before, after] = changed.split('new numbers') as [string, string];
    expect(readme.startsWith(before.trimEnd())).toBe(true);
    expect(readme.endsWith(after.trimStart())).toBe(true);
    expect(withSection('no markers', 'x')).toBeUndefined();
  });
});
