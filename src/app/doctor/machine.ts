import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Settings } from '../../core/settings.ts';
import { type Finding, ok } from './finding.ts';

const OLDEST_NODE = [20, 19] as const;
/** Each connection of a client and each to an origin is one. */
const ENOUGH_FILES = 4_096;
const ENOUGH_BYTES = 100 * 1024 ** 2;

/** This machine: is there all that `sluice serve` needs? */
export async function checkMachine(
  settings: Settings,
  options: { readonly version: string; readonly serverRuns: boolean },
): Promise<readonly Finding[]> {
  return [
    checkNode(options.version),
    await checkFileLimit(),
    await checkStateFolder(settings.state.dir),
    ...(options.serverRuns
      ? [ok('ports', 'a `sluice serve` runs here and has them')]
      : await checkPorts(settings.gateway)),
  ];
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST_NODE;
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return ok('Node.js', version);
  return {
    ...{ level: 'bad', where: 'Node.js', what: `${version} is too old` },
    remedy: `install Node.js ${oldest}.${oldestMinor} or later`,
  };
}

async function checkFileLimit(): Promise<Finding> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  if (soft === undefined) return ok('open files', 'the limit cannot be read on this system');
  return fileLimit(soft);
}

/** `soft` as the system writes it. */
export function fileLimit(soft: string): Finding {
  if (soft === 'unlimited' || Number(soft) >= ENOUGH_FILES) return ok('open files', `${soft} at once`);
  return {
    ...{ level: 'warning', where: 'open files', what: `only ${soft} at once` },
    why: 'each client and each connection to an origin is one; beyond it new clients are refused',
    remedy: `raise it: ulimit -n 65536, or LimitNOFILE=65536 in the unit (${ENOUGH_FILES} at least)`,
  };
}

async function checkStateFolder(dir: string): Promise<Finding> {
  const where = `state folder ${dir}`;
  const probe = join(dir, `.doctor-${process.pid}`);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeFile(probe, 'x');
    await rm(probe);
    const { bavail, bsize } = await statfs(dir);
    const free = bavail * bsize;
    const mebibytes = `${Math.round(free / 1024 ** 2)}Mi free`;
    if (free >= ENOUGH_BYTES) return ok(where, `can be written, ${mebibytes}`);
    const remedy = 'make room, or set state.dir to another disk';
    return { level: 'warning', where, what: `little room: ${mebibytes}`, remedy };
  } catch (error) {
    return {
      ...{ level: 'bad', where, what: 'cannot be written', why: (error as Error).message },
      remedy: 'give this user the folder, or set state.dir',
    };
  }
}

async function checkPorts(gateway: Settings['gateway']): Promise<readonly Finding[]> {
  const places = [
    ...gateway.listen.map(({ host, port }) => ({ host, port, key: 'gateway.listen' })),
    { ...gateway.admin, key: 'gateway.admin.port' },
  ].filter(({ port }) => port !== 0);
  return Promise.all(places.map((place) => checkPort(place)));
}

async function checkPort({
  host,
  port,
  key,
}: {
  readonly host: string;
  readonly port: number;
  readonly key: string;
}): Promise<Finding> {
  const where = `port ${host}:${port}`;
  const server = createServer();
  const trouble = await new Promise<NodeJS.ErrnoException | undefined>((done) => {
    server.once('error', done);
    server.listen(port, host, () => done(undefined));
  });
  server.close();
  if (trouble === undefined) return ok(where, 'free');
  const taken = trouble.code === 'EADDRINUSE';
  return {
    ...{ level: 'bad', where, what: taken ? 'another program listens there' : 'cannot be opened' },
    why: trouble.message,
    remedy:
      trouble.code === 'EACCES'
        ? `set ${key} above 1023, or give Node.js the right`
        : `stop it, or set ${key}`,
  };
}
