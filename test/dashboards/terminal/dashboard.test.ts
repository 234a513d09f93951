import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Dashboard, startDashboard } from '../../../dashboards/terminal/dashboard.ts';
import { createLook } from '../../../dashboards/terminal/look.ts';
import { openScreen } from '../../../dashboards/terminal/screen.ts';
import type { DashboardSource } from '../../../dashboards/terminal/source.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import type { LoggedEvent } from '../../../src/core/events.ts';
import type { StatusView } from '../../../src/core/status.ts';
import { describeEvent } from '../../../src/events/describe.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { type FakeTerminal, fakeTerminal } from '../fake-terminal.ts';
import { EXPLANATION, NOW, RECENT, shopStatus } from '../shop-status.ts';

const open: Dashboard[] = [];

afterEach(() => {
  for (const dashboard of open.splice(0)) dashboard.close();
});

interface Scene {
  readonly terminal: FakeTerminal;
  readonly dashboard: Dashboard;
  readonly server: { status: () => Promise<StatusView>; emit: (event: LoggedEvent) => void };
  /** Lets time pass, and all that follows from it happen. */
  pass(ms: number): Promise<void>;
  settle(): Promise<void>;
}

async function scene(options: { color?: boolean; unicode?: boolean } = {}): Promise<Scene> {
  const terminal = fakeTerminal({ columns: 80, rows: 24 });
  const clock = virtualClock(NOW);
  const unicode = options.unicode ?? true;
  const server: { status: () => Promise<StatusView>; emit: (event: LoggedEvent) => void } = {
    status: async () => shopStatus(),
    emit: () => undefined,
  };
  const source: DashboardSource = {
    where: 'http://127.0.0.1:9901',
    status: (signal) =>
      new Promise((done, fail) => {
        signal.addEventListener('abort', () => fail(signal.reason));
        server.status().then(done, fail);
      }),
    explain: async () => EXPLANATION,
    follow: (onEvent, signal) =>
      new Promise((done) => {
        server.emit = onEvent;
        signal.addEventListener('abort', () => done());
      }),
  };
  const dashboard = startDashboard({
    title: 'sluice top',
    source,
    screen: openScreen({ ...terminal, unicode, color: options.color ?? true }),
    look: createLook(unicode, describeEvent),
    clock,
  });
  open.push(dashboard);
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      clock.advance(Math.min(100, left));
      await settle();
    }
  }
  await settle();
  return { terminal, dashboard, server, pass, settle };
}

describe('the dashboard on a terminal', () => {
  it('takes the terminal over, shows the platforms, and q gives it back', async () => {
    const { terminal, dashboard, pass, settle } = await scene();
    await pass(200);
    expect(terminal.isAlternate()).toBe(true);
    expect(terminal.isRaw()).toBe(true);
    const lines = await terminal.lines();
    expect(lines[0]).toBe(' sluice top  table 17  workers 2/2  http://127.0.0.1:9901              14:03:22');
    expect(lines[3]).toBe('▸ cf       ✔ up       ███░░░  50 %   100   0.0   2/2 r2    ok   its origin answ…');
    expect(lines[23]).toBe(' q quit  k up  j down  w why  p pause  ? help');
    terminal.type('q');
    await settle();
    await dashboard.closed;
    await terminal.lines();
    expect(terminal.isAlternate()).toBe(false);
    expect(terminal.isRaw()).toBe(false);
    // The cursor is seen again.
    expect(terminal.written()).toContain('\u001b[?25h');
  });

  it('leaves on Ctrl-C too', async () => {
    const { terminal, dashboard } = await scene();
    terminal.type('\u0003');
    await dashboard.closed;
    expect(terminal.isRaw()).toBe(false);
  });

  it('gives the terminal back when it is at fault itself', async () => {
    const { terminal, dashboard, server, pass } = await scene();
    const failed = expect(dashboard.closed).rejects.toThrow(TypeError);
    server.status = async () => ({ ...shopStatus(), applications: [{}] }) as unknown as StatusView;
    await pass(1_000);
    await failed;
    await terminal.lines();
    expect(terminal.isAlternate()).toBe(false);
    expect(terminal.isRaw()).toBe(false);
  });

  it('hears arrows, enter and escape', async () => {
    const { terminal, pass, settle } = await scene();
    await pass(200);
    terminal.type('\u001b[B');
    await settle();
    expect((await terminal.lines())[4]).toMatch(/^▸ ocp/);
    terminal.type('\r');
    await pass(200);
    expect((await terminal.lines())[1]).toMatch(/^── why: shop/);
    expect((await terminal.lines()).join('\n')).toContain('tier 1: cf weight 40, ocp weight 40');
    terminal.type('\u001b');
    await pass(200);
    expect((await terminal.lines())[4]).toMatch(/^▸ ocp/);
  });

  it('shows an event when it comes, not when it is asked for', async () => {
    const { terminal, server, pass } = await scene();
    await pass(200);
    server.emit({
      ...RECENT[0]!,
      seq: 9,
      at: NOW + 100,
      type: 'platform.api.down',
      platform: 'ocp',
      error: '503',
    } as LoggedEvent);
    await pass(100);
    expect((await terminal.lines()).join('\n')).toContain(
      'ocp: the API does not answer, traffic stays where it is: 503',
    );
  });

  it('says how old the picture is while the server is away, and goes on when it is back', async () => {
    const { terminal, server, pass } = await scene();
    await pass(200);
    server.status = async () => {
      throw new SluiceError('SERVER_UNREACHABLE', 'no Sluice server answers', { why: 'connect refused' });
    };
    await pass(10_000);
    const lines = await terminal.lines();
    expect(lines[1]).toBe(' this is 10 s old, trying again: no Sluice server answers (connect refused)');
    expect(lines[4]).toMatch(/^▸ cf/);
    server.status = async () => shopStatus();
    await pass(1_000);
    expect((await terminal.lines())[3]).toMatch(/^▸ cf/);
  });

  it('does not wait for ever for a server that never answers', async () => {
    const { terminal, server, pass } = await scene();
    server.status = () => new Promise(() => undefined);
    await pass(4_500);
    expect((await terminal.lines())[1]).toMatch(/has not answered for 3 s/);
  });

  it('follows the size of the window', async () => {
    const { terminal, pass } = await scene();
    await pass(200);
    terminal.resize({ columns: 60, rows: 20 });
    await pass(100);
    expect((await terminal.lines())[0]).toBe('needs 80×24, has 60×20');
    terminal.resize({ columns: 120, rows: 30 });
    await pass(100);
    const lines = await terminal.lines();
    expect(lines[1]).toContain('p95 ms');
    expect(lines[29]).toMatch(/^ q quit/);
    expect(lines).toHaveLength(30);
  });

  it('shows what the demo breaks and says', async () => {
    const { terminal, dashboard, pass } = await scene();
    await pass(200);
    dashboard.banner('✂ the router is killed');
    dashboard.note('  cf is back');
    await pass(200);
    const lines = await terminal.lines();
    expect(lines[1]).toBe(' ✂ the router is killed');
    expect(lines).toContain('  cf is back');
  });

  it('uses no colour where none is wanted, and ASCII where nothing else is understood', async () => {
    const { terminal, pass } = await scene({ color: false, unicode: false });
    await pass(200);
    expect((await terminal.lines())[3]).toMatch(/^> cf {7}\+ up {7}###\.\.\. {2}50 %/);
    expect(terminal.written()).not.toMatch(/[^\p{ASCII}]/u);
    const parameters = terminal
      .written()
      .split('\u001b[')
      .flatMap((one) => /^([\d;]*)m/.exec(one)?.[1]?.split(';') ?? []);
    expect(parameters).toContain('7');
    expect(parameters.filter((one) => /^(3[0-7]|4[0-7]|9\d|10\d|38|48)$/.test(one))).toEqual([]);
  });
});
