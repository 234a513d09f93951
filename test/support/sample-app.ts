import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bundle, TargetSpec } from '../../src/core/provider.ts';
import type { BundleFile, Release } from '../../src/core/release.ts';
import { tarGzFiles, zipFiles } from '../../src/lib/archive.ts';

/** What the sample application does once its process has started. */
export type SampleVariant =
  /** Serves: `x-release` names the release, the body greets. */
  | 'ok'
  /** Prints why and exits with 1 before it listens. */
  | 'crashes'
  /** Stays alive and never opens its port. */
  | 'silent';

/** What the failing variants print, to be found again in log tails. */
export const CRASH_TEXT = 'sample: cannot open the database';
export const SILENT_TEXT = 'sample: waiting for nothing';

const SERVER = `import { createServer } from 'node:http';
const { SLUICE_RELEASE = 'none', GREETING = 'hello', PORT } = process.env;
const server = createServer((request, response) => {
  response.setHeader('x-release', SLUICE_RELEASE);
  response.setHeader('x-pid', String(process.pid));
  const { searchParams: asked } = new URL(request.url, 'http://sample');
  if (asked.has('print')) console.log('printed ' + asked.get('print'));
  response.end(GREETING + ' from ' + SLUICE_RELEASE + '\\n');
});
server.listen(Number(PORT), () => console.log('sample: listening as ' + SLUICE_RELEASE));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;

const SOURCES: Record<SampleVariant, string> = {
  ok: SERVER,
  crashes: `console.error('${CRASH_TEXT}');\nprocess.exit(1);\n`,
  silent: `console.log('${SILENT_TEXT}');\nsetInterval(() => {}, 1000);\n`,
};

/** A small Node application on disk. `remove` deletes its folder. */
export async function sampleBundle(
  variant: SampleVariant = 'ok',
  more: Readonly<Record<string, string | Buffer>> = {},
): Promise<Bundle & { remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-sample-'));
  const contents: Record<string, string | Buffer> = {
    ...more,
    'lib/note.txt': `variant ${variant}\n`,
    'package.json': `${JSON.stringify({ name: 'sample', type: 'module', scripts: { start: 'node server.js' } })}\n`,
    'server.js': SOURCES[variant],
  };
  const files: BundleFile[] = [];
  const digest = createHash('sha256');
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    files.push({ path, mode: 0o644, size: Buffer.byteLength(content), sha256 });
    digest.update(`${path} 644 ${sha256}\n`);
  }
  return {
    digest: `sha256:${digest.digest('hex')}`,
    files,
    root,
    zip: () => zipFiles(root, files),
    tarGz: () => tarGzFiles(root, files),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

export interface SampleWish {
  readonly application: string;
  readonly platform: string;
  /** The release's number; with the application it makes the id. */
  readonly number: number;
  readonly instances?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly startTimeoutMs?: number;
  readonly hosts?: readonly string[];
  readonly memoryBytes?: number;
}

export function sampleRelease(application: string, number: number): Release {
  const digest = createHash('sha256').update(`${application} ${number}`).digest('hex');
  return {
    id: `r-${digest.slice(0, 10)}`,
    number,
    application,
    sourceDigest: `sha256:${digest}`,
    configHash: `sha256:${digest}`,
    createdAt: Date.now(),
  };
}

export function sampleTarget(wish: SampleWish): TargetSpec {
  const release = sampleRelease(wish.application, wish.number);
  return {
    application: wish.application,
    platform: wish.platform,
    release,
    process: {
      command: 'node server.js',
      instances: wish.instances ?? 2,
      memoryBytes: wish.memoryBytes ?? 64 * 1024 * 1024,
    },
    env: {
      GREETING: 'hello',
      ...wish.env,
      SLUICE_APPLICATION: wish.application,
      SLUICE_PLATFORM: wish.platform,
      SLUICE_RELEASE: release.id,
    },
    health: { path: '/healthz', startTimeoutMs: wish.startTimeoutMs ?? 10_000 },
    hosts: wish.hosts ?? [],
  };
}
