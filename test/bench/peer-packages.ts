import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_FOLDER } from './folders.ts';

const INSTALL_MS = 120_000;

/**
 * Installs the Node peers beside the bench when they are not there as package.json wants them. Undefined: all is
 * well; else why not, and the peers that find their packages elsewhere still take part.
 */
export function installPeers(): string | undefined {
  if (isInstalled()) return undefined;
  const flags = [
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
  ];
  const install = spawnSync('npm', ['ci', ...flags], {
    cwd: BENCH_FOLDER,
    encoding: 'utf8',
    timeout: INSTALL_MS,
  });
  if (install.status === 0) return undefined;
  const said = (install.stderr ?? '').split('\n').find((line) => /^npm (?:error|ERR!)/.test(line));
  return install.error?.message ?? said ?? `npm ended with ${install.signal ?? install.status}`;
}

function isInstalled(): boolean {
  const wanted = JSON.parse(readFileSync(join(BENCH_FOLDER, 'package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  return Object.entries(wanted.dependencies).every(([name, version]) => {
    const file = join(BENCH_FOLDER, 'node_modules', name, 'package.json');
    if (!existsSync(file)) return false;
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version === version;
  });
}
