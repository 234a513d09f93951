import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '../../src/app/run-cli.ts';
import { formatCaught } from '../../src/cli/print-error.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createHost } from '../../src/runner/host.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';

export interface Run extends FakeIo {
  /** Resolves with the exit status; what `main` would print of an error is in `stderr`. */
  readonly ended: Promise<number>;
}

/** One self-hosted platform, `rack`, with an application to deploy to it, and the command line in this process. */
export interface Rack {
  readonly dir: string;
  readonly file: string;
  run(args: readonly string[], given?: Parameters<typeof fakeIo>[0]): Run;
  close(): Promise<void>;
}

const SERVER = `import { createServer } from 'node:http';
const server = createServer((request, response) => {
  response.setHeader('x-release', process.env.SLUICE_RELEASE);
  if (request.url !== '/') console.log('asked for ' + request.url);
  response.end('ok');
});
server.listen(Number(process.env.PORT), () => console.log('serving with ' + process.env.GREETING));
process.on('SIGTERM', () => process.exit(0));
`;

/** `more` is added to the file, `ofShop` to its application. */
export async function rack(more = '', ofShop = ''): Promise<Rack> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-rack-'));
  const socket = join(dir, 'host.sock');
  const host = createHost({
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    socket,
    stateDir: join(dir, 'host'),
    onOwnerExit: 'kill',
  });
  await host.start();
  await mkdir(join(dir, 'shop'));
  await writeFile(join(dir, 'shop/server.js'), SERVER);
  await writeFile(join(dir, 'shop/package.json'), '{"type":"module"}');
  const file = join(dir, 'sluice.yaml');
  await writeFile(
    file,
    `version: 1
platforms:
  rack: { provider: selfhosted, driver: process, socket: ${socket} }
applications:
  shop:
    source: ./shop
    command: node server.js
    memory: 64Mi
    health: { path: /, release: { header: x-release } }
    targets: { rack: {} }
${ofShop}
gateway: { admin: { port: 1 } }
${more}`,
  );
  return {
    dir,
    file,
    run(args, given = {}) {
      const fake = fakeIo({ cwd: dir, ...given });
      const program = buildProgram(fake.io, 'unused', args);
      const ended = program.parseAsync([...args], { from: 'user' }).then(
        () => fake.status() ?? 0,
        (caught: unknown) => {
          const { text, status } = formatCaught(caught);
          fake.io.stderr(text);
          return status;
        },
      );
      return { ...fake, ended };
    },
    async close() {
      await host.close();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
