import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SLUICE_VERSION } from '../../../src/app/version.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import { startChild } from '../child.ts';
import { type Contender, type ProxyPlace, schemeOf, Unfit } from '../contender.ts';
import { ROOT } from '../folders.ts';
import { environmentOf, treeOf } from '../proc.ts';

const MAIN = join(ROOT, 'dist/src/main.js');

/** The whole product as a person starts it: supervisor, controller and one worker, with policy, breaker and metrics. */
export const sluice: Contender = {
  name: 'sluice',
  describe: () => ({ version: [SLUICE_VERSION, ...commit()].join(', ') }),
  async start(place) {
    const { folder, setup } = place;
    const file = join(folder, 'sluice.yaml');
    await writeFile(file, sluiceConfiguration(place));
    refuseWhatIsNotBuilt(file);
    const child = await startChild({
      name: 'sluice',
      command: process.execPath,
      args: [MAIN, 'serve', '--json', '--file', file],
      core: place.core,
      env: { SLUICE_STOP_WITH_STDIN: '1' },
      cwd: folder,
      ready: (line) => line.startsWith('{"type":"listening"'),
    });
    const { ports } = JSON.parse(child.readyLine) as { ports: readonly number[] };
    const worker = treeOf(child.pid).find((pid) => environmentOf(pid).includes('SLUICE_ROLE=worker'));
    if (worker === undefined || ports[0] === undefined) {
      await child.stop();
      throw new SluiceError('NOT_HEALTHY', 'the gateway runs without a worker', {
        where: 'sluice',
        remedy: 'start it by hand: node dist/src/main.js serve --origin a=URL',
      });
    }
    return { url: `${schemeOf(setup.downstream)}://127.0.0.1:${ports[0]}`, dataPathPid: worker, child };
  },
};

/** Two platforms that share the traffic, each with a probe a second. JSON is YAML. */
export function sluiceConfiguration({ origins, setup, certificate, folder }: ProxyPlace): string {
  const platforms = Object.fromEntries(
    origins.map((origin, index) => [
      `platform-${index}`,
      {
        provider: 'static',
        origins: [origin],
        ...(setup.upstream === 'https' ? { ca: certificate.cert } : {}),
      },
    ]),
  );
  const { cert, key } = certificate;
  const tls = setup.downstream === 'http' ? {} : { tls: [{ cert, key }], http2: setup.downstream === 'h2' };
  const log = { format: 'json', file: join(folder, 'access.log') };
  return `${JSON.stringify(
    {
      version: 1,
      platforms,
      applications: {
        bench: {
          health: { path: '/healthz', every: '1s' },
          // As the peers are told: the origin sees the Host that the client sent.
          routes: [{ host: '127.0.0.1', publicHost: 'map' }],
          targets: Object.fromEntries(Object.keys(platforms).map((name) => [name, { tier: 1, weight: 50 }])),
        },
      },
      gateway: {
        workers: 1,
        listen: [{ host: '127.0.0.1', port: 0, ...tls }],
        admin: { port: 0 },
        // By default it lets a connection go before a server on Node would. The peers keep theirs while others are
        // measured, so it does too.
        timeouts: { upstreamKeepAlive: '60s' },
        ...(setup.accessLog ? { accessLog: log } : {}),
      },
      state: { dir: join(folder, 'state') },
    },
    null,
    2,
  )}\n`;
}

/** Which sources were measured, where git knows: between releases the version says little. */
function commit(): readonly string[] {
  const ask = (...args: readonly string[]): string => {
    const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : '';
  };
  const head = ask('rev-parse', '--short', 'HEAD');
  if (head === '') return [];
  const changed = ask('status', '--porcelain', '--', 'src', 'providers', 'policies', 'package.json') !== '';
  return [`commit ${head}${changed ? ' with changes' : ''}`];
}

/** An older gateway than the bench is no error; a bench that writes nonsense is. */
function refuseWhatIsNotBuilt(file: string): void {
  const asked = spawnSync(process.execPath, [MAIN, 'validate', '--file', file], { encoding: 'utf8' });
  if (asked.status === 0) return;
  const said = `${asked.stdout}${asked.stderr}`;
  const unknown = /gateway\S*: (?:unknown key|not built yet)[^\n]*/.exec(said)?.[0];
  if (unknown !== undefined) throw new Unfit(`this build of the gateway does not take ${unknown}`);
  throw new SluiceError('NOT_HEALTHY', "the gateway refuses the bench's configuration", { why: said });
}
