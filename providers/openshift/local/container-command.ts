import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, textAt } from './json.ts';
import { expand } from './pod-environment.ts';
import type { Container } from './pod-types.ts';

/** The shell line a container runs: its command and args, else what the image's run script would do. */
export function containerCommand(
  container: Container,
  folder: string,
  environment: Readonly<Record<string, string>>,
): string {
  const words = [...(container.command ?? []), ...(container.args ?? [])].map((word) =>
    expand(word, environment),
  );
  if (words.length > 0) return words.map(quote).join(' ');
  const start = startScript(folder);
  // As npm does for scripts: the tools of the application come first.
  return `PATH="$PWD/node_modules/.bin:$PATH"; ${start ?? 'node server.js'}`;
}

function startScript(folder: string): string | undefined {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return undefined;
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isObject(manifest)) return undefined;
    const main = textAt(manifest, 'main');
    return textAt(manifest, 'scripts', 'start') ?? (main === undefined ? undefined : `node ${quote(main)}`);
  } catch {
    // A package.json nobody can read: the default is as good as any, and its failure will tell.
    return undefined;
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
