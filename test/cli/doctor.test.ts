import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../src/app/doctor/finding.ts';
import { checkNode, fileLimit } from '../../src/app/doctor/machine.ts';
import { room, skew } from '../../src/app/doctor/platforms.ts';
import { formatFinding } from '../../src/cli/doctor.ts';
import { type Rack, rack } from '../support/rack.ts';

let world: Rack;
const taken = createServer();
let port: number;
beforeAll(async () => {
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  ({ port } = taken.address() as { port: number });
  world = await rack();
  const text = await readFile(world.file, 'utf8');
  await writeFile(
    world.file,
    text.replace('admin: { port: 1 }', 'listen: [{ port: 0 }], admin: { port: 0 }'),
  );
});
afterAll(async () => {
  await world.close();
  await new Promise((done) => taken.close(done));
});

async function doctor(args: readonly string[] = []): Promise<{ status: number; findings: Finding[] }> {
  const run = world.run(['doctor', '--json', ...args]);
  const status = await run.ended;
  const lines = run.stdout().split('\n').filter(Boolean);
  return { status, findings: lines.map((line) => JSON.parse(line) as Finding) };
}

function of(findings: readonly Finding[], where: string): Finding | undefined {
  return findings.find((one) => one.where.startsWith(where));
}

describe('sluice doctor', () => {
  it('finds nothing bad where all is well', async () => {
    const { status, findings } = await doctor();
    expect(findings.filter(({ level }) => level === 'bad')).toEqual([]);
    expect(status).toBe(0);
    expect(of(findings, 'platform rack')?.what).toMatch(/^selfhosted v1, logged in as \S+@\S+$/);
    expect(of(findings, 'state folder')?.what).toMatch(/^can be written/);
    const text = world.run(['doctor']);
    await text.ended;
    expect(text.stdout()).toMatch(/^✔ platform rack: /m);
  });

  it('names a port that is taken and a platform that does not answer, with what to do', async () => {
    const file = `${world.dir}/ill.yaml`;
    const text = await readFile(world.file, 'utf8');
    const ill = text
      .replace('host.sock', 'nobody.sock')
      .replace('{ port: 0 }]', `{ host: 127.0.0.1, port: ${port} }]`);
    await writeFile(file, ill);
    const { status, findings } = await doctor(['-f', file]);
    expect(status).toBe(1);
    expect(of(findings, `port 127.0.0.1:${port}`)).toMatchObject({
      level: 'bad',
      what: 'another program listens there',
      remedy: 'stop it, or set gateway.listen',
    });
    expect(of(findings, 'platform rack')).toMatchObject({
      level: 'bad',
      remedy: expect.stringContaining('sluice host'),
    });
  });

  it('stops at a file with faults, and names them', async () => {
    const file = `${world.dir}/faulty.yaml`;
    await writeFile(file, 'version: 1\nplatfroms: {}\n');
    const { status, findings } = await doctor(['-f', file]);
    expect(status).toBe(1);
    expect(findings.at(-1)).toMatchObject({ level: 'bad', why: expect.stringContaining('platfroms') });
  });
});

describe('what doctor thinks', () => {
  it('of versions', () => {
    expect(checkNode('v20.19.0').level).toBe('ok');
    expect(checkNode('v22.1.0').level).toBe('ok');
    expect(checkNode('v20.18.3').level).toBe('bad');
    expect(checkNode('v18.20.0').level).toBe('bad');
  });

  it('of limits, room and clocks', () => {
    expect(fileLimit('1024').level).toBe('warning');
    expect(fileLimit('unlimited').level).toBe('ok');
    expect(room('p', 'shop', 0).level).toBe('warning');
    expect(room('p', 'shop', 2).what).toBe('shop can be read; room for 2 more instances');
    expect(skew('cf', 900)).toMatchObject({ level: 'ok' });
    expect(skew('cf', -60_000)).toMatchObject({ level: 'warning', what: 'is 1m behind ours' });
    expect(skew('cf', 600_000)).toMatchObject({ level: 'bad', what: 'is 10m ahead of ours' });
  });

  it('is said with why and what to do', () => {
    const finding = { level: 'bad', where: 'port 1', what: 'taken', why: 'a\nb', remedy: 'stop it' } as const;
    expect(formatFinding(finding)).toBe('✖ port 1: taken\n    a\n    b\n    do stop it\n');
  });
});
