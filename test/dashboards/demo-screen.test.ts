import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { demoScreen } from '../../src/cli/demo-screen.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';
import { type StubServer, startStubServer } from './stub-server.ts';

const OPTIONS = { title: 'sluice demo  policy demo.yaml', live: true, color: false };

let server: StubServer;
let terminal: FakeTerminal;
let stderr: string;

beforeEach(async () => {
  server = await startStubServer();
  terminal = fakeTerminal({ columns: 80, rows: 24 });
  stderr = '';
});

afterEach(() => server.close());

function io(over: Partial<CliIo> = {}): CliIo {
  return {
    stdout: () => undefined,
    stderr: (text) => {
      stderr += text;
    },
    env: { LANG: 'C.UTF-8' },
    cwd: '/',
    isTty: true,
    columns: 80,
    signal: new AbortController().signal,
    exit: () => undefined,
    ...over,
  };
}

describe('the demo on a terminal', () => {
  it('says lines until the world stands, then shows what is being broken, then says lines again', async () => {
    const screen = await demoScreen(io({ terminal }), OPTIONS);
    screen.say('starting sluice serve');
    expect(stderr).toBe('starting sluice serve\n');
    const close = screen.open(server.url);
    expect(screen.isShown()).toBe(true);
    await terminal.shows('sluice demo  policy demo.yaml  table 17');
    screen.say('✂ the Cloud Foundry router is killed');
    screen.say('  ocp 67 %, rack 33 %; without cf down: refused');
    await terminal.shows('\n ✂ the Cloud Foundry router is killed\n');
    await terminal.shows('without cf down: refused');
    await close();
    expect(screen.isShown()).toBe(false);
    expect(screen.signal.aborted).toBe(false);
    screen.say('over');
    expect(stderr).toBe('starting sluice serve\nover\n');
    await terminal.lines();
    expect(terminal.isAlternate()).toBe(false);
    expect(terminal.isRaw()).toBe(false);
  });

  it('is stopped by whoever leaves the dashboard', async () => {
    const screen = await demoScreen(io({ terminal }), OPTIONS);
    const close = screen.open(server.url);
    await terminal.shows('▸ cf');
    terminal.type('q');
    await new Promise((done) => screen.signal.addEventListener('abort', done));
    expect(SluiceError.from(screen.signal.reason).code).toBe('INTERRUPTED');
    expect(stderr).toContain('stopping the demo after this step');
    expect(terminal.isRaw()).toBe(false);
    await close();
  });

  it('gives the terminal back when the command is told to stop', async () => {
    const stopping = new AbortController();
    const screen = await demoScreen(io({ terminal, signal: stopping.signal }), OPTIONS);
    const close = screen.open(server.url);
    await terminal.shows('▸ cf');
    stopping.abort();
    expect(terminal.isRaw()).toBe(false);
    await close();
  });
});

describe('the demo without a terminal', () => {
  it.each([
    ['there is none', true],
    ['lines are wanted', false],
  ])('says lines throughout when %s', async (_why, live) => {
    const screen = await demoScreen(live ? io() : io({ terminal }), { ...OPTIONS, live });
    const close = screen.open(server.url);
    expect(screen.isShown()).toBe(false);
    screen.say('✂ the router is killed');
    expect(stderr).toBe('✂ the router is killed\n');
    await close();
    expect(terminal.written()).toBe('');
  });
});
