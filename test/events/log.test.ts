import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DomainEvent, LoggedEvent } from '../../src/core/events.ts';
import type { EventLog } from '../../src/core/ports.ts';
import { createEventLog } from '../../src/events/log.ts';
import { createRedactor } from '../../src/lib/redact.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-events-'));
  file = join(dir, 'events', 'events.ndjson');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const redactor = createRedactor(['canary-S3cret']);

function open(options: { file?: string; rotateAt?: number } = { file }): EventLog {
  return createEventLog({
    clock: virtualClock(1_000),
    redact: (event) => redactor.value(event) as typeof event,
    ...options,
  });
}

function down(error: string): DomainEvent {
  return { type: 'platform.api.down', platform: 'cf', error };
}

function seqs(log: EventLog): number[] {
  return log.since(0).map(({ seq }) => seq);
}

describe('the event log', () => {
  it('numbers events one by one and stamps their time', () => {
    const log = open();
    expect(log.append(down('a'))).toEqual({ seq: 1, at: 1_000, ...down('a') });
    expect(log.append(down('b')).seq).toBe(2);
    expect(log.since(1).map((event) => event.seq)).toEqual([2]);
    expect(log.since(0, 1).map((event) => event.seq)).toEqual([1]);
    expect(log.since(2)).toEqual([]);
  });

  it('goes on counting after a restart, and still has what was before', () => {
    open().append(down('a'));
    const again = open();
    again.append(down('b'));
    expect(again.since(0)).toMatchObject([
      { seq: 1, error: 'a' },
      { seq: 2, error: 'b' },
    ]);
  });

  it('shows nobody a secret: not the listener, not the caller, not the file', () => {
    const log = open();
    const seen: LoggedEvent[] = [];
    log.onEvent((event) => seen.push(event));
    const logged = log.append(down('bad password canary-S3cret'));
    const everywhere = JSON.stringify([seen, logged, log.since(0)]) + readFileSync(file, 'utf8');
    expect(everywhere).toContain('bad password <redacted>');
    expect(everywhere).not.toContain('canary');
  });

  it('has an event on disk before anybody hears of it, for its owner only', () => {
    const log = open();
    let onDisk = '';
    log.onEvent(() => {
      onDisk = readFileSync(file, 'utf8');
    });
    log.append(down('a'));
    expect(onDisk).toContain('"seq":1');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('stops telling who no longer listens', () => {
    const log = open();
    let heard = 0;
    const dispose = log.onEvent(() => heard++);
    log.append(down('a'));
    dispose();
    log.append(down('b'));
    expect(heard).toBe(1);
  });
});

describe('after the machine went down', () => {
  it('a half-written last line is left out, its number is not given twice, and the next line is whole', () => {
    open().append(down('a'));
    appendFileSync(file, '{"seq":2,"at":1000,"type":"platform.api.d');
    const log = open();
    expect(seqs(log)).toEqual([1]);
    expect(log.append(down('c')).seq).toBe(3);
    expect(seqs(open())).toEqual([1, 3]);
  });

  it('lines that are no events are passed over', () => {
    open().append(down('a'));
    appendFileSync(file, '12\nnull\n{"seq":"x"}\n[]\n\u0000\u0000\n');
    const log = open();
    expect(seqs(log)).toEqual([1]);
    expect(log.append(down('b')).seq).toBe(2);
  });

  it('what two commands wrote at once is in the order of its numbers', () => {
    const [one, other] = [open(), open()];
    one.append(down('a'));
    one.append(down('b'));
    other.append(down('A'));
    const log = open();
    expect(seqs(log)).toEqual([1, 1, 2]);
    expect(log.append(down('c')).seq).toBe(3);
  });
});

describe('the file', () => {
  it('is put aside once it is full, and both parts are read', () => {
    const log = open({ file, rotateAt: 300 });
    for (let i = 0; i < 8; i++) log.append(down('x'.repeat(20)));
    expect(existsSync(`${file}.1`)).toBe(true);
    expect(statSync(file).size).toBeLessThan(500);
    const last = seqs(open());
    expect(last.at(-1)).toBe(8);
    expect(last.length).toBeGreaterThan(3);
    expect(open().append(down('a')).seq).toBe(9);
  });

  it('is not what events depend on: a folder that cannot be written costs nothing but the file', () => {
    writeFileSync(join(dir, 'taken'), 'a file, no folder');
    const log = open({ file: join(dir, 'taken', 'events.ndjson') });
    const heard: number[] = [];
    log.onEvent(({ seq }) => heard.push(seq));
    expect(log.append(down('a')).seq).toBe(1);
    expect(heard).toEqual([1]);
  });

  it('may vanish under way', () => {
    const log = open();
    log.append(down('a'));
    rmSync(join(dir, 'events'), { recursive: true });
    expect(log.append(down('b')).seq).toBe(2);
  });

  it('may be unreadable', () => {
    mkdirSync(join(dir, 'events'));
    mkdirSync(file);
    chmodSync(file, 0o700);
    expect(open().append(down('a')).seq).toBe(1);
  });

  it('is not needed at all', () => {
    const log = open({});
    expect(log.append(down('a')).seq).toBe(1);
    expect(existsSync(file)).toBe(false);
  });
});

it('keeps the newest five thousand in memory', () => {
  const log = open({});
  for (let i = 0; i < 5_010; i++) log.append(down('a'));
  expect(log.since(0, 10_000)).toHaveLength(5_000);
  expect(log.since(0)[0]?.seq).toBe(11);
});

it('keeps types and fields readable when a user is called like a part of them', () => {
  for (const user of ['deploy', 'deployment', 'platform', 'progress']) {
    const weak = createRedactor([user]);
    const log = createEventLog({
      clock: virtualClock(),
      redact: (event) => weak.value(event) as typeof event,
    });
    const logged = log.append({
      type: 'deployment.log',
      deployment: 'd-1',
      platform: 'cf',
      source: 'platform',
      text: `signed in as ${user}`,
    });
    expect(logged).toMatchObject({ type: 'deployment.log', deployment: 'd-1', platform: 'cf' });
    expect(JSON.stringify(logged)).toContain('signed in as <redacted>');
  }
});
