import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startChild } from '../child.ts';
import { type Contender, type ProxyName, schemeOf } from '../contender.ts';
import { BENCH_FOLDER } from '../folders.ts';

/** A proxy made of npm packages: `peers/NAME.mjs`, run where it stands, so that it finds the bench's own packages. */
export function nodePeer(name: ProxyName, packages: readonly string[]): Contender {
  const main = join(BENCH_FOLDER, 'peers', `${name}.mjs`);
  return {
    name,
    describe() {
      const versions = packages.map((one) => installedVersion(one, BENCH_FOLDER));
      const missing = packages.find((_, index) => versions[index] === undefined);
      if (missing !== undefined) return { missing: `the package ${missing} is not installed` };
      return {
        version: packages
          .map((one, index) => (one === name ? versions[index] : `${one} ${versions[index]}`))
          .join(', '),
      };
    },
    async start({ origins, setup, certificate, folder, core }) {
      const orders = {
        origins,
        ca: setup.upstream === 'https' ? certificate.cert : undefined,
        tls: setup.downstream === 'http' ? undefined : { cert: certificate.cert, key: certificate.key },
      };
      const child = await startChild({
        name,
        command: process.execPath,
        args: [main, JSON.stringify(orders)],
        core,
        cwd: folder,
        ready: (line) => line.startsWith('{'),
      });
      const { port } = JSON.parse(child.readyLine) as { port: number };
      return {
        url: `${schemeOf(setup.downstream)}://127.0.0.1:${port}`,
        dataPathPid: child.pid,
        child,
      };
    },
  };
}

/** As Node finds packages: here or in a folder above, because the gateway's own ones serve as well. */
export function installedVersion(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (dirname(folder) === folder) return undefined;
  }
}
