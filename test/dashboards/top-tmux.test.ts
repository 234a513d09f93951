import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/lib/clock.ts';
import { type StubServer, startStubServer } from './stub-server.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'dist/src/main.js');
const PATIENCE_MS = 15_000;

const missing = whatIsMissing();
if (missing !== undefined) {
  if (process.env['SLUICE_REQUIRE_SERVERS'] === '1')
    throw new Error(`SLUICE_REQUIRE_SERVERS=1, but ${missing}`);
  process.stderr.write(`skipping the dashboard in tmux: ${missing}\n`);
}

function whatIsMissing(): string | undefined {
  if (!existsSync(MAIN)) return 'dist/ is not built (npm run build)';
  const { error, status } = spawnSync('tmux', ['-V']);
  return error || status !== 0 ? 'tmux is not installed' : undefined;
}

(missing === undefined ? describe : describe.skip)('sluice top in tmux', () => {
  let folder: string;
  let server: StubServer;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-top-'));
    server = await startStubServer();
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', 'env PS1=ready\\> sh');
    await shows('ready>');
  });

  afterEach(async () => {
    spawnSync('tmux', ['-S', join(folder, 'tmux'), 'kill-server']);
    rmSync(folder, { recursive: true });
    await server.close();
  });

  function tmux(...args: readonly string[]): string {
    // A server of its own: whoever runs the tests may sit in tmux themselves.
    return execFileSync('tmux', ['-S', join(folder, 'tmux'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TMUX: '' },
    });
  }

  function screen(): string {
    return tmux('capture-pane', '-p');
  }

  async function shows(text: string | RegExp): Promise<string> {
    const deadline = systemClock.now() + PATIENCE_MS;
    for (;;) {
      const now = screen();
      if (typeof text === 'string' ? now.includes(text) : text.test(now)) return now;
      if (systemClock.now() > deadline) throw new Error(`waited for ${text}, the screen shows:\n${now}`);
      await systemClock.sleep(50);
    }
  }

  function run(command: string): void {
    tmux('send-keys', command, 'Enter');
  }

  /** The shell has its own screen, echo and line editing again. */
  async function expectRestored(): Promise<void> {
    await shows(/status=\d+/);
    expect(screen()).toContain('ready>');
    expect(screen()).not.toContain('sluice top  table');
    expect(tmux('display-message', '-p', '#{alternate_on} #{cursor_flag} #{keypad_flag}').trim()).toBe(
      '0 1 0',
    );
    run('stty -a | grep -q " icanon" && stty -a | grep -q " echo " && echo cooked');
    await shows(/^cooked$/m);
  }

  it('shows the rows, says why, and q leaves the terminal as it was', async () => {
    run(`node ${MAIN} top --server ${server.url}; echo status=$?`);
    const table = await shows(
      '▸ cf       ✔ up       ███░░░  50 %   100   0.0   2/2 r2    ok   its origin answ…',
    );
    expect(table).toContain('! degraded');
    expect(table).toContain('14:03:18 rack is down (was up): 3 probes failed: refused');
    tmux('send-keys', 'w');
    await shows('── why: shop ─────');
    await shows('tier 1: cf weight 40, ocp weight 40');
    tmux('send-keys', 'q');
    await expectRestored();
    expect(screen()).toContain('status=0');
  });

  it('leaves the terminal as it was on SIGTERM', async () => {
    run(`sh -c 'echo $$ > ${folder}/pid; exec node ${MAIN} top --server ${server.url}'; echo status=$?`);
    await shows('▸ cf');
    const top = readFileSync(join(folder, 'pid'), 'utf8');
    process.kill(Number(top), 'SIGTERM');
    await expectRestored();
  });

  it.each([
    ['an exception', "throw new Error('ours')", /Error: ours/],
    ['process.exit', 'process.exit(7)', /status=7/],
  ])('leaves the terminal as it was on %s', async (_what, end, left) => {
    const script = join(folder, 'ends.mjs');
    writeFileSync(
      script,
      `import { openScreen } from '${pathToFileURL(join(ROOT, 'dist/dashboards/terminal/screen.js'))}';
       const { stdin: input, stdout: output } = process;
       const screen = openScreen({ input, output, unicode: true, color: true });
       screen.draw([[{ text: 'sluice top  table', tone: 'good' }]]);
       screen.onKey(() => { ${end}; });`,
    );
    run(`node ${script}; echo status=$?`);
    await shows('sluice top  table');
    tmux('send-keys', 'x');
    await expectRestored();
    expect(screen()).toMatch(left);
  });
});
