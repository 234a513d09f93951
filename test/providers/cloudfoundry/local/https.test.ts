import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../../providers/cloudfoundry/local/server.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { seededRandom } from '../../../../src/lib/random.ts';
import { createRunner } from '../../../../src/runner/runner.ts';
import type { Json } from './foundation.ts';
import { send } from './foundation.ts';

describe('the local Cloud Foundry over TLS', () => {
  const runner = createRunner({ clock: systemClock, random: seededRandom(1) });
  let dir = '';
  let cf: LocalCloudFoundry;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'local-cf-tls-'));
    cf = createLocalCloudFoundry({
      dir,
      runner,
      clock: systemClock,
      random: seededRandom(1),
      speed: 0.05,
      https: true,
    });
    await cf.start();
  });
  afterAll(async () => {
    await cf.close();
    await runner.close();
    await rm(dir, { recursive: true, force: true });
  });

  function get(
    url: string,
    headers: Record<string, string>,
    ca?: string,
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        url,
        { headers, agent: false, ...(ca === undefined ? {} : { ca }) },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            body += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  }

  it('is trusted by whoever has its authority, and hands out https addresses', async () => {
    const ca = await readFile(cf.ca ?? '', 'utf8');
    expect(cf.apiUrl).toMatch(/^https:/);
    await expect(get(cf.apiUrl, {})).rejects.toThrow(/self.signed/i);
    const root = await get(cf.apiUrl, {}, ca);
    const { links }: Json = JSON.parse(root.body);
    for (const name of ['self', 'uaa', 'login', 'log_cache']) expect(links[name].href).toMatch(/^https:/);
    expect((await get(`${links.login.href}/login`, {}, ca)).status).toBe(200);
    const unknown = await get(cf.routerUrl, { host: 'nobody.apps.cf.localhost' }, ca);
    expect(unknown).toEqual({
      status: 404,
      body: "404 Not Found: Requested route ('nobody.apps.cf.localhost') does not exist.\n",
    });
  });

  it('answers plain HTTP on the same port', async () => {
    const plain = await send('GET', cf.apiUrl.replace('https:', 'http:'), {});
    expect(plain.status).toBe(200);
  });

  it('is driven by curl with --cacert', async () => {
    const curl = promisify(execFile)('curl', ['-sS', '--cacert', cf.ca ?? '', cf.apiUrl]).catch((error) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    const answer = await curl;
    if (answer) expect(JSON.parse(answer.stdout).links.self.href).toBe(cf.apiUrl);
  });
});
