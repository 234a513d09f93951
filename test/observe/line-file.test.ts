import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LineSink, Logger } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openLineFile } from '../../src/observe/line-file.ts';
import { until } from '../gateway/harness.ts';

describe('a file of lines', () => {
  let folder = '';
  let warnings: string[] = [];
  const open: LineSink[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_fields, message) => warnings.push(message),
    error: () => undefined,
  };

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-lines-'));
    warnings = [];
  });
  afterEach(async () => {
    for (const sink of open.splice(0)) await sink.close();
    fs.rmSync(folder, { recursive: true });
  });

  async function lines(name: string): Promise<LineSink> {
    const file = path.join(folder, name);
    const droppedLine = (count: number): string => `dropped ${count}\n`;
    const sink = await openLineFile({ file, clock: systemClock, logger, droppedLine });
    open.push(sink);
    return sink;
  }

  const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'latin1');

  it('writes in batches, in order, behind what is there already', async () => {
    fs.writeFileSync(path.join(folder, 'log'), 'before\n');
    const sink = await lines('log');
    let expected = 'before\n';
    for (let i = 0; i < 5_000; i += 1) {
      const line = `${i} ${'x'.repeat(i % 90)}\n`;
      sink.write(line);
      expected += line;
    }
    expect(read('log').length).toBeLessThan(expected.length);
    await until(() => read('log').length === expected.length);
    expect(read('log')).toBe(expected);
  });

  it('takes a line that is longer than a batch', async () => {
    const sink = await lines('log');
    sink.write('a\n');
    sink.write(`${'b'.repeat(100_000)}\n`);
    sink.write('c\n');
    await sink.close();
    expect(read('log')).toBe(`a\n${'b'.repeat(100_000)}\nc\n`);
  });

  it('has everything on disk once it is closed, and takes nothing afterwards', async () => {
    const sink = await lines('log');
    sink.write('a\n');
    await sink.close();
    sink.write('b\n');
    await sink.close();
    expect(read('log')).toBe('a\n');
  });

  it('opens a file anew when told that it was moved away', async () => {
    const sink = await lines('log');
    sink.write('a\n');
    await until(() => read('log') === 'a\n');
    fs.renameSync(path.join(folder, 'log'), path.join(folder, 'log.1'));
    sink.reopen();
    sink.write('b\n');
    await until(() => fs.existsSync(path.join(folder, 'log')) && read('log') === 'b\n');
    expect(read('log.1')).toBe('a\n');
  });

  it('notices by itself that a file was moved away', async () => {
    const sink = await lines('log');
    sink.write('a\n');
    await until(() => read('log') === 'a\n');
    fs.renameSync(path.join(folder, 'log'), path.join(folder, 'log.1'));
    await until(() => {
      sink.write('b\n');
      return fs.existsSync(path.join(folder, 'log'));
    });
    await until(() => read('log').startsWith('b\n'));
  });

  it('stays with the old file when there can be no new one', async () => {
    const sink = await lines('log');
    fs.renameSync(path.join(folder, 'log'), path.join(folder, 'log.1'));
    fs.mkdirSync(path.join(folder, 'log'));
    sink.reopen();
    sink.write('a\n');
    await until(() => read('log.1') === 'a\n');
    expect(warnings).toEqual(['the access log cannot be opened anew']);
  });

  it('says which file cannot be opened, and why', async () => {
    await expect(lines('missing/log')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { where: 'gateway.accessLog.file', why: expect.stringContaining('ENOENT') },
    });
  });

  it('drops and counts what a reader that stands still leaves no room for, and never waits', async () => {
    const fifo = path.join(folder, 'pipe');
    execFileSync('mkfifo', [fifo]);
    // Opened for both, so that neither side waits for the other.
    const reader = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    const sink = await lines('pipe');
    const line = `${'x'.repeat(99)}\n`;
    const startedAt = performance.now();
    for (let i = 0; i < 100_000; i += 1) sink.write(line);
    // 10 MB into a queue of 4: a file system that blocked us would still be at it.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const seen: string[] = [];
    const buffer = Buffer.alloc(65_536);
    let dropped = 0;
    let arrived = 0;
    await until(() => {
      for (;;) {
        try {
          seen.push(buffer.toString('latin1', 0, fs.readSync(reader, buffer)));
        } catch {
          break;
        }
      }
      sink.write('end\n');
      const all = seen.join('');
      dropped = Number(/^dropped ([0-9]+)$/m.exec(all)?.[1] ?? 0);
      arrived = all.split(line).length - 1;
      return dropped > 0 && arrived + dropped >= 100_000;
    });
    fs.closeSync(reader);
    expect(arrived).toBeGreaterThan(10_000);
    // What was dropped is told in full; `end`s may be among it.
    expect(arrived + dropped).toBeGreaterThanOrEqual(100_000);
    for (const one of seen.join('').split('\n').slice(0, -1)) {
      expect(one === line.trim() || one === 'end' || /^dropped [0-9]+$/.test(one)).toBe(true);
    }
  });

  it('writes to standard output by the name -', async () => {
    const script = `
      import { openLineFile } from ${JSON.stringify(path.resolve('dist/src/observe/line-file.js'))};
      import { systemClock } from ${JSON.stringify(path.resolve('dist/src/lib/clock.js'))};
      const sink = await openLineFile({ file: '-', clock: systemClock, logger: console, droppedLine: () => '' });
      for (let i = 0; i < 20000; i += 1) sink.write('line ' + i + '\\n');
      await sink.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(text).toBe(Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(''));
  });
});
