import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../core/errors.ts';
import type { PolicySource } from './policy.ts';

/** The presets that come with Sluice: config/policies/*.yaml, by file name. */
export function packagePresets(): Readonly<Record<string, PolicySource>> {
  const folder = join(packageRoot(), 'config', 'policies');
  const presets: Record<string, PolicySource> = {};
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.yaml')) continue;
    const file = join(folder, name);
    presets[name.slice(0, -'.yaml'.length)] = { file, text: readFileSync(file, 'utf8') };
  }
  return presets;
}

/** Sources lie two folders below it, compiled output three: look for what both have above them. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) || !existsSync(join(folder, 'config', 'policies'))) {
    const above = dirname(folder);
    if (above === folder)
      throw new SluiceError('BUG', 'the folder config/policies is missing from the package');
    folder = above;
  }
  return folder;
}
