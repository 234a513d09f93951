import { readdir, readFile } from 'node:fs/promises';

/**
 * Processes whose environment has all of these: so the demo kills the instances it had started, and no other
 * program that happens to be called `node`. Linux only, like the demo.
 */
export async function pidsWithEnvironment(
  wanted: Readonly<Record<string, string>>,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // Processes come and go while we read, and others' are not ours to read.
    const text = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const variables = new Set(text.split('\0'));
    if (Object.entries(wanted).every(([key, value]) => variables.has(`${key}=${value}`)))
      found.push(Number(name));
  }
  return found;
}
