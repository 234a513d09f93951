import { join } from 'node:path';
import { packageRoot } from '../config/presets.ts';

/** A file that comes with Sluice, wherever it is installed. */
export function packageFile(path: string): string {
  return join(packageRoot(), path);
}
