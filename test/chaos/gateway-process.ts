import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import { SluiceError } from '../../src/core/errors.ts';
import { type Child, startChild } from '../bench/child.ts';
import { environmentOf, treeOf } from '../bench/proc.ts';

/** The compiled program beside the compiled tests. */
const MAIN = resolve(import.meta.dirname, '../../src/main.js');

/** The whole product in processes of its own: supervisor, controller, one worker. */
export interface GatewayProcess {
  readonly port: number;
  readonly adminUrl: string;
  readonly workerPid: number;
  readonly child: Child;
}

/** `yaml` listens on port 0. */
export async function startGatewayProcess(yaml: string, folder: string): Promise<GatewayProcess> {
  const file = join(folder, 'sluice.yaml');
  await writeFile(file, yaml);
  const child = await startChild({
    name: 'sluice',
    command: process.execPath,
    args: [
      ...[MAIN, 'serve', '--json', '--file', file],
      ...['--port', '0', '--admin-port', '0', '--state', join(folder, 'state')],
    ],
    core: undefined,
    cwd: folder,
    env: { SLUICE_STOP_WITH_STDIN: '1', SLUICE_LOG: 'warn' },
    ready: (line) => line.startsWith('{"type":"listening"'),
  });
  const { ports, adminPort } = JSON.parse(child.readyLine) as ListeningLine;
  const workerPid = treeOf(child.pid).find((pid) => environmentOf(pid).includes('SLUICE_ROLE=worker'));
  if (ports[0] === undefined || workerPid === undefined) {
    await child.stop();
    throw new SluiceError('NOT_HEALTHY', 'the gateway runs without a worker or a port', { where: file });
  }
  return { port: ports[0], adminUrl: `http://127.0.0.1:${adminPort}`, workerPid, child };
}

interface ListeningLine {
  readonly ports: readonly number[];
  readonly adminPort: number;
}

/** Metrics without labels, by name. */
export async function metricsOf({ adminUrl }: GatewayProcess): Promise<ReadonlyMap<string, number>> {
  const answer = await request(`${adminUrl}/metrics`);
  return parseMetrics(await answer.body.text());
}

export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const metrics = new Map<string, number>();
  for (const [, name = '', value] of text.matchAll(/^([a-z0-9_]+) (\S+)$/gm))
    metrics.set(name, Number(value));
  return metrics;
}
