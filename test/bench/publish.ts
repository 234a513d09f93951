import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { PUBLISHED, ROOT } from './folders.ts';
import type { Report } from './report.ts';
import { SECTIONS, withSection } from './sections.ts';

/** Makes one run the one that the documents show: keeps its JSON and writes their sections anew. */
export async function publish(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  const report = readReport(text, file);
  const written: string[] = [];
  for (const section of SECTIONS) {
    const path = join(ROOT, section.file);
    const changed = withSection(await readFile(path, 'utf8'), section.write(report));
    if (changed === undefined) {
      throw new SluiceError('SOURCE_UNREADABLE', `${section.file} has no place for the numbers`, {
        where: path,
        remedy: 'put the markers of test/bench/sections.ts back',
      });
    }
    await writeFile(path, changed);
    written.push(section.file);
  }
  await writeFile(PUBLISHED, text);
  return written;
}

export function readReport(text: string, file: string): Report {
  const report = JSON.parse(text) as Report;
  if (report.schema === 2) return report;
  throw new SluiceError('USAGE', 'this is no report of this bench', {
    where: file,
    why: `schema ${report.schema}`,
  });
}
