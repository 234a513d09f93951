import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCES = ['src', 'providers', 'policies', 'dashboards'].flatMap((folder) => filesUnder(folder));

interface Source {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Specifiers as written. */
  readonly imports: readonly string[];
}

function filesUnder(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = `${folder}/${name.replaceAll('\\', '/')}`;
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, imports: importsIn(text) };
    });
}

function importsIn(text: string): string[] {
  const statements = text.matchAll(/^\s*(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'/gm);
  const bare = text.matchAll(/^import\s+'([^']+)'/gm);
  const dynamic = text.matchAll(/\bimport\('([^']+)'\)/g);
  return [...statements, ...bare, ...dynamic].map((match) => match[1]!);
}

/** The room a file belongs to: `core`, `policies`, `providers/openshift`, `src/gateway` …; `app` may import everything. */
function roomOf(path: string): string {
  const [top, second] = path.split('/');
  if (top === 'src' && second === 'core') return 'core';
  if (top === 'src' && second === 'lib') return 'lib';
  if (top === 'src' && second === 'runner') return 'runner';
  if (top === 'src' && (second === 'app' || second === 'cli' || second === 'main.ts')) return 'app';
  if (path === 'providers/registry.ts') return 'app';
  if (top === 'providers') return `providers/${second}`;
  if (top === 'src') return `src/${second}`;
  return top!;
}

/** What each room may import beside itself. */
function allowedRooms(room: string): readonly string[] | 'everything' {
  if (room === 'app') return 'everything';
  if (room === 'core') return [];
  if (room === 'policies') return ['core'];
  // The policy is pure and stands in its own folder; the engine is its only caller.
  if (room === 'src/engine') return ['core', 'lib', 'policies'];
  if (room.startsWith('providers/')) return ['core', 'lib', 'runner'];
  return ['core', 'lib'];
}

function importedRooms(source: Source): { specifier: string; room: string }[] {
  return source.imports
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => {
      const target = relative(ROOT, resolve(ROOT, dirname(source.path), specifier)).replaceAll('\\', '/');
      return { specifier, room: roomOf(target) };
    });
}

const ONE_IMPORTER: Readonly<Record<string, RegExp>> = {
  ioredis: /^src\/state\//,
  blessed: /^dashboards\/terminal\/screen\.ts$/,
  cockatiel: /^src\/(lib\/resilience|gateway\/gate)\.ts$/,
  bottleneck: /^src\/lib\//,
  'http-proxy': /^src\/lib\//,
  'node-cron': /^src\/engine\/schedule\.ts$/,
  '@marcbachmann/cel-js': /^src\/config\/cel\.ts$/,
  croner: /^src\/lib\/cron-window\.ts$/,
  'prom-client': /^src\/observe\/metrics\.ts$/,
};

/** Time and chance come in as arguments everywhere but in `lib`, where they are made. */
const BANNED =
  /\bDate\.now\(|\bnew Date\(|\bMath\.random\(|(?<![.\w])set(?:Timeout|Interval)\(|\bperformance\.now\(/;

/** Which of these may be used by `node:` in `core` and `policies`: none. */
function isPure(room: string): boolean {
  return room === 'core' || room === 'policies';
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:])\/\/.*$/gm, '$1');
}

describe('the house', () => {
  it('has sources to look at', () => {
    expect(SOURCES.length).toBeGreaterThan(100);
    expect(SOURCES.some((source) => source.imports.length > 0)).toBe(true);
  });

  it('lets each room import only what the design allows', () => {
    const broken: string[] = [];
    for (const source of SOURCES) {
      const room = roomOf(source.path);
      const allowed = allowedRooms(room);
      if (allowed === 'everything') continue;
      for (const { specifier, room: target } of importedRooms(source)) {
        if (target !== room && !allowed.includes(target)) broken.push(`${source.path} imports ${specifier}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('keeps core and policies pure: no packages, no node modules', () => {
    const broken = SOURCES.filter((source) => isPure(roomOf(source.path))).flatMap((source) =>
      source.imports
        .filter((specifier) => !specifier.startsWith('.'))
        .map((one) => `${source.path} imports ${one}`),
    );
    expect(broken).toEqual([]);
  });

  it.each(Object.entries(ONE_IMPORTER))('imports %s only where its one user stands', (library, where) => {
    const broken = SOURCES.filter(
      (source) =>
        source.imports.some((one) => one === library || one.startsWith(`${library}/`)) &&
        !where.test(source.path),
    );
    expect(broken.map((source) => source.path)).toEqual([]);
  });

  it('reads the clock and rolls dice in lib only', () => {
    const broken = SOURCES.filter(
      (source) => roomOf(source.path) !== 'lib' && BANNED.test(withoutComments(source.text)),
    );
    expect(broken.map((source) => source.path)).toEqual([]);
  });

  it('has no enums, default exports or barrels, and names that say something', () => {
    const broken: string[] = [];
    for (const { path, text } of SOURCES) {
      const code = withoutComments(text);
      if (/^\s*(export\s+)?(const\s+)?enum\s/m.test(code)) broken.push(`${path}: enum`);
      if (/^export default\b/m.test(code)) broken.push(`${path}: default export`);
      if (/^export \*/m.test(code)) broken.push(`${path}: export *`);
      if (/(^|\/)(utils|helpers|index)\.ts$/.test(path)) broken.push(`${path}: a name that says nothing`);
    }
    expect(broken).toEqual([]);
  });

  it('names files in kebab-case', () => {
    const broken = SOURCES.filter(({ path }) => !/^([a-z0-9-]+\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path));
    expect(broken.map((source) => source.path)).toEqual([]);
  });

  it('gives every provider the same files and a conformance test', () => {
    const kinds = readdirSync(join(ROOT, 'providers'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(kinds.map((kind) => kind.name).sort()).toEqual([
      'cloudfoundry',
      'openshift',
      'selfhosted',
      'static',
    ]);
    for (const { name } of kinds) {
      for (const file of ['provider.ts', 'config.ts']) {
        expect([`${name}/${file}`, existsSync(join(ROOT, 'providers', name, file))]).toEqual([
          `${name}/${file}`,
          true,
        ]);
      }
      // Static origins deploy nothing, so there is nothing to conform to.
      if (name === 'static') continue;
      for (const file of ['client.ts', 'wire.ts', 'translate.ts']) {
        expect([`${name}/${file}`, existsSync(join(ROOT, 'providers', name, file))]).toEqual([
          `${name}/${file}`,
          true,
        ]);
      }
      expect([name, existsSync(join(ROOT, 'test/providers', name, 'conformance.test.ts'))]).toEqual([
        name,
        true,
      ]);
    }
  });
});

describe('the documents', () => {
  const operating = readIfThere('docs/operating.md');

  it.each([
    ['error code', 'src/core/errors.ts', /^ {2}([A-Z_]+): \{ exit/gm],
    ['event type', 'src/core/events.ts', /^ {2}'([a-z.]+)':/gm],
    ['metric', 'src/observe/metrics.ts', /^ {2}(sluice_[a-z0-9_]+):/gm],
  ])('name every %s in docs/operating.md', (_what, file, pattern) => {
    const names = [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map((match) => match[1]!);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !operating.includes(`\`${name}\``))).toEqual([]);
  });

  it('tell why each runtime dependency is there', () => {
    const dependencies = Object.keys(JSON.parse(readIfThere('package.json')).dependencies);
    const text = readIfThere('docs/dependencies.md');
    expect(dependencies.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('agree on the version', () => {
    const { version } = JSON.parse(readIfThere('package.json'));
    expect(readIfThere('src/app/version.ts')).toContain(`'${version}'`);
    expect(readIfThere('CHANGELOG.md')).toContain(`## [${version}]`);
  });
});

function readIfThere(path: string): string {
  const full = join(ROOT, path);
  return existsSync(full) ? readFileSync(full, 'utf8') : '';
}
