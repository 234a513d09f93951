import { dirname, isAbsolute, join } from 'node:path';
import type { ZodType } from 'zod';
import { type Fault, valueFault } from './fault.ts';
import type { Path } from './path.ts';
import type { PolicySource } from './policy.ts';
import { expandHome, noHome } from './references.ts';

/** What configuration must know of a kind of platform; `providers/registry.ts` has it. */
export interface ProviderShape {
  /** Of the platform's block without `provider`. */
  readonly schema: ZodType;
  /** False where there is nothing to deploy. Default: true, but for `static`. */
  readonly deploys?: boolean;
  /** Does it run container images. Default: true. */
  readonly images?: boolean;
  /** Can what it builds be taken to another of its kind. Default: true. */
  readonly transfers?: boolean;
}

export interface LoadOptions {
  /** Absolute. */
  readonly file: string;
  /** How messages call the file, e.g. as it was typed. Default: `file`. */
  readonly shownAs?: string;
  /** Throws as `readFileSync` does. */
  readonly read: (path: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly providers: Readonly<Record<string, ProviderShape>>;
  readonly presets: Readonly<Record<string, PolicySource>>;
  /** Epoch milliseconds, for certificates that expired. Default: now. */
  readonly now?: number;
}

/** From the folder of the file; undefined when it begins with `~/` and there is no HOME. */
export function absolute(given: string, options: LoadOptions): string | undefined {
  const path = expandHome(given, options);
  if (path === undefined || isAbsolute(path)) return path;
  return join(dirname(options.file), path);
}

export function homeless(path: Path): Fault {
  const { summary, remedy } = noHome();
  return valueFault(path, summary, remedy);
}
