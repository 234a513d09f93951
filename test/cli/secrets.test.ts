// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildProgram } from '../../src/app/run-cli.ts';
import { formatCaught } from '../../src/cli/print-error.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type OriginServer, originServer } from '../support/origin-server.ts';

const CANARY = 'canary-S3cret/with+signs';

let dir: string;
let platform: OriginServer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
  // A platform that repeats whatever it was told, as proxies in front of platforms do.
  platform = await originServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(400, { 'content-type': 'application/json' });
      const sent = Buffer.concat(parts).toString();
      const title = `refused: ${request.headers.authorization} ${sent} ${CANARY} ${encodeURIComponent(CANARY)}`;
      response.end(JSON.stringify({ error_description: title, errors: [{ code: 1, title, detail: title }] }));
    });
  });
  await writeFile(join(dir, 'server.js'), '');
  await writeFile(
    join(dir, 'sluice.yaml'),
    `version: 1
platforms:
  cf:
    provider: cloudfoundry
    api: ${platform.url}
    org: demo
    space: dev
    domain: apps.example.com
    credentials: { username: me, password: "\${CF_PASSWORD}" }
applications:
  shop:
    source: .
    command: node server.js
    env: { DB_URL: "\${CF_PASSWORD}" }
    targets: { cf: {} }
gateway: { admin: { port: 1 } }
`,
  );
});

afterAll(async () => {
  await platform.close();
  await rm(dir, { recursive: true, force: true });
});

describe('a command that works alone', () => {
  it.each([
    [['plan']],
    [['plan', '--json']],
    [['status']],
    [['status', '--json']],
    [['deploy', '--json']],
    [['destroy', '--yes', '--json']],
    [['deployments', '--json']],
  ])('%j prints no secret, whatever the platform answers', async (args) => {
    const fake = fakeIo({ cwd: dir, env: { CF_PASSWORD: CANARY } });
    const program = buildProgram(fake.io, 'unused', args);
    await program.parseAsync(args, { from: 'user' }).catch((caught: unknown) => {
      fake.io.stderr(formatCaught(caught).text);
    });
    const printed = fake.stdout() + fake.stderr();
    expect(printed).not.toBe('');
    // That it was there to be printed: these show the platform's own words.
    if (args.join() !== 'status' && args[0] !== 'deployments') expect(printed).toContain('<redacted>');
    for (const form of [CANARY, encodeURIComponent(CANARY), Buffer.from(CANARY).toString('base64')]) {
      expect(printed).not.toContain(form);
    }
  });
});
