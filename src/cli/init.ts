import { access, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { hasCode } from '../lib/has-code.ts';
import type { CliIo } from './io.ts';
import { type FoundSource, PLATFORM_KINDS, type PlatformKind, starterFile } from './starter-file.ts';

interface InitOptions {
  readonly file: string;
  readonly app?: string;
  readonly source: string;
  readonly command?: string;
  readonly platform?: readonly string[];
}

const USUAL_NAMES = { cloudfoundry: 'cf', openshift: 'ocp', selfhosted: 'rack', static: 'legacy' } as const;

/** `sluice init`: a file to start from, made of what is there. Asks nothing. */
export function initCommand(program: Command, io: CliIo): void {
  program
    .command('init')
    .description('write a commented sluice.yaml for the application in this folder; asks nothing')
    .option('-f, --file <path>', 'what to write', 'sluice.yaml')
    .option('--app <name>', 'the name of the application; left out: from package.json or the folder')
    .option('--source <folder>', 'what is deployed', '.')
    .option(
      '--command <command>',
      'what starts one instance; left out: found in the source, or by the platform',
    )
    .option(
      '--platform <name=kind...>',
      `where it runs: ${PLATFORM_KINDS.join(', ')}; the kind alone takes a usual name`,
    )
    .action(async (options: InitOptions) => {
      const file = resolve(io.cwd, options.file);
      const source = await detect(resolve(io.cwd, options.source), options);
      const platforms = platformsIn(options.platform ?? ['selfhosted']);
      const { text, variables } = starterFile({ ...source, source: options.source }, platforms);
      await writeNew(file, text, options.file);
      io.stdout(`wrote ${options.file}: ${source.name} on ${[...platforms.keys()].join(', ')}\n`);
      const left = variables.filter((name) => io.env[name] === undefined);
      if (left.length > 0) io.stdout(`set ${left.join(', ')}\n`);
      io.stdout('fill in the addresses, then: sluice validate, sluice doctor, sluice deploy\n');
    });
}

async function writeNew(file: string, text: string, shown: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) {
      throw new SluiceError('USAGE', `${shown} cannot be written`, { why: (error as Error).message });
    }
    throw new SluiceError('USAGE', `${shown} is there already`, {
      where: file,
      remedy: 'nothing is overwritten: remove it, or name another with -f FILE',
    });
  }
}

function platformsIn(given: readonly string[]): ReadonlyMap<string, PlatformKind> {
  const platforms = new Map<string, PlatformKind>();
  for (const one of given) {
    const [first = '', second] = one.split('=');
    const kind = PLATFORM_KINDS.find((known) => known === (second ?? first));
    if (kind === undefined) {
      throw new SluiceError('USAGE', `there is no platform of kind "${second ?? first}"`, {
        remedy: `name one of: ${PLATFORM_KINDS.join(', ')}; for example --platform cf-eu=cloudfoundry`,
      });
    }
    const name = second === undefined ? USUAL_NAMES[kind] : first;
    if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
      throw new SluiceError('USAGE', `"${name}" is not a name for a platform`, {
        remedy: 'lower-case letters, digits and dashes, at most 40',
      });
    }
    if (platforms.has(name)) {
      throw new SluiceError('USAGE', `two platforms are called "${name}"`, {
        remedy: 'give each a name: --platform cf-eu=cloudfoundry cf-us=cloudfoundry',
      });
    }
    platforms.set(name, kind);
  }
  return platforms;
}

/** The name and how it starts, from what stands in the folder. */
async function detect(folder: string, { app, command }: InitOptions): Promise<Omit<FoundSource, 'source'>> {
  await access(folder).catch(() => {
    throw new SluiceError('SOURCE_UNREADABLE', `there is no folder ${folder}`, {
      remedy: 'name it with --source',
    });
  });
  const [manifest, procfile] = await Promise.all(
    ['package.json', 'Procfile'].map((name) => readFile(join(folder, name), 'utf8').catch(() => undefined)),
  );
  const about = manifestIn(manifest);
  const [, web] = /^web:\s*(.+)$/m.exec(procfile ?? '') ?? [];
  const found = command ?? web ?? about.start;
  return {
    name: nameOf(app ?? about.name ?? basename(folder)),
    command: found,
    from:
      command !== undefined
        ? undefined
        : web !== undefined
          ? 'Procfile'
          : about.start === undefined
            ? undefined
            : 'package.json',
  };
}

function manifestIn(text: string | undefined): { readonly name?: string; readonly start?: string } {
  try {
    const { name, scripts } = JSON.parse(text ?? '{}') as { name?: unknown; scripts?: { start?: unknown } };
    return {
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof scripts?.start === 'string' ? { start: scripts.start } : {}),
    };
  } catch {
    return {};
  }
}

/** `@acme/Web Shop` → `web-shop`. */
function nameOf(given: string): string {
  const plain = given
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32);
  return /^[a-z]/.test(plain) ? plain : 'app';
}
