import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plainText, type Size } from '../../../dashboards/terminal/cells.ts';
import { createLook } from '../../../dashboards/terminal/look.ts';
import { initialModel, type Model } from '../../../dashboards/terminal/model.ts';
import { type Message, update } from '../../../dashboards/terminal/update.ts';
import { view } from '../../../dashboards/terminal/view.ts';
import type { StatusView } from '../../../src/core/status.ts';
import { describeEvent } from '../../../src/events/describe.ts';
import { EXPLANATION, NOW, platform, shopStatus } from '../shop-status.ts';

const SMALL: Size = { columns: 80, rows: 24 };
const LARGE: Size = { columns: 120, rows: 30 };
const UNICODE = createLook(true, describeEvent);
const ASCII = createLook(false, describeEvent);

function modelAfter(...messages: readonly Message[]): Model {
  return messages.reduce(
    (model, message) => update(model, message).model,
    initialModel('sluice top', 'http://127.0.0.1:9901', NOW),
  );
}

function shown(model: Model, size: Size, look = UNICODE): string[] {
  return view(model, size, look).map(plainText);
}

function key(name: string): Message {
  return { type: 'key', key: name };
}

const STATUS: Message = { type: 'status', at: NOW, status: shopStatus() };

describe('the dashboard', () => {
  it('shows the platforms and why traffic is where it is on 80×24', () => {
    expect(shown(modelAfter(STATUS), SMALL)).toMatchInlineSnapshot(`
[
  " sluice top  table 17  workers 2/2  http://127.0.0.1:9901              14:03:22",
  "  platform verdict    share          rps err %  inst rel   api  why",
  "shop  r2  200 rps  errors 0.99 %",
  "▸ cf       ✔ up       ███░░░  50 %   100   0.0   2/2 r2    ok   its origin answ…",
  "  ocp      ! degraded ███░░░  50 %    98   2.0   1/2 r2    down 1 of 2 instance…",
  "  rack     ✖ down     off              0     -   0/2 r1    ok   3 probes failed…",
  "",
  "cf (cloudfoundry, tier 1): its origin answers",
  "  3 probes answered; no errors in the traffic",
  "",
  "── decisions and verdicts ──────────────────────────────────────────────────────",
  "14:03:18 rack is down (was up): 3 probes failed: refused",
  "14:03:18 shop: cf 40 %, ocp 40 %, rack 20 % → cf 50 %, ocp 50 %, rack 0 %: rack",
  "         down: 3 probes failed: refused; its 20 % go to cf and ocp",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  " q quit  k up  j down  w why  p pause  ? help",
]
`);
  });

  it('has all columns on 120×30', () => {
    expect(shown(modelAfter(STATUS), LARGE)).toMatchInlineSnapshot(`
[
  " sluice top  table 17  workers 2/2  http://127.0.0.1:9901                                                      14:03:22",
  "  platform tier verdict    share          rps last 24 s    err % p95 ms  inst rel   api  why",
  "shop  r2  200 rps  errors 0.99 %",
  "▸ cf          1 ✔ up       ███░░░  50 %   100            █   0.0     12   2/2 r2    ok   its origin answers",
  "  ocp         1 ! degraded ███░░░  50 %    98            █   2.0    431   1/2 r2    down 1 of 2 instances runs",
  "  rack        1 ✖ down     off              0                  -      -   0/2 r1    ok   3 probes failed: refused",
  "",
  "cf (cloudfoundry, tier 1): its origin answers",
  "  3 probes answered; no errors in the traffic",
  "",
  "── decisions and verdicts ──────────────────────────────────────────────────────────────────────────────────────────────",
  "14:03:18 rack is down (was up): 3 probes failed: refused",
  "14:03:18 shop: cf 40 %, ocp 40 %, rack 20 % → cf 50 %, ocp 50 %, rack 0 %: rack down: 3 probes failed: refused; its 20 %",
  "         go to cf and ocp",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  " q quit  k up  j down  w why  p pause  ? help",
]
`);
  });

  it('tells all it knows of the selected platform', () => {
    const lines = shown(modelAfter(STATUS, key('j')), SMALL);
    expect(lines.slice(1, 10)).toMatchInlineSnapshot(`
[
  "  platform verdict    share          rps err %  inst rel   api  why",
  "shop  r2  200 rps  errors 0.99 %",
  "  cf       ✔ up       ███░░░  50 %   100   0.0   2/2 r2    ok   its origin answ…",
  "▸ ocp      ! degraded ███░░░  50 %    98   2.0   1/2 r2    down 1 of 2 instance…",
  "  rack     ✖ down     off              0     -   0/2 r1    ok   3 probes failed…",
  "",
  "ocp (openshift, tier 1): 1 of 2 instances runs",
  "  API down: connect timed out; pod shop-2 restarts",
  "",
]
`);
  });

  it('says what is frozen, in the way of growing, and not covered, the worst first and three lines at most', () => {
    const [shop] = shopStatus().applications;
    const application = {
      ...shop!,
      coverage: { cf: 0.62, ocp: 0.4, rack: 1 },
      frozen: { since: NOW, why: '3 automatic failovers within the hour' },
      platforms: shop!.platforms.map((one) =>
        one.name === 'ocp'
          ? { ...one, scaling: { to: 6, state: 'refused' as const, since: NOW, why: 'no memory left' } }
          : one,
      ),
    };
    const status = shopStatus({ applications: [application] });
    const lines = shown(modelAfter({ type: 'status', at: NOW, status }), LARGE);
    expect(lines.filter((line) => /frozen|cannot go|carry/.test(line))).toEqual([
      'automation is frozen since 14:03:22: 3 automatic failovers within the hour; when you have looked: sluice unhold --app s…',
      'ocp cannot go to 6 instances: no memory left',
      'if cf dies now, the others carry 62 % of the demand',
    ]);
  });

  it('is ASCII alone where the locale is', () => {
    const lines = shown(modelAfter(STATUS), LARGE, ASCII);
    expect(lines.join('\n')).not.toMatch(/[^ -~\n]/);
    expect(lines.slice(1, 6)).toMatchInlineSnapshot(`
[
  "  platform tier verdict    share          rps last 24 s    err % p95 ms  inst rel   api  why",
  "shop  r2  200 rps  errors 0.99 %",
  "> cf          1 + up       ###...  50 %   100            #   0.0     12   2/2 r2    ok   its origin answers",
  "  ocp         1 ! degraded ###...  50 %    98            #   2.0    431   1/2 r2    down 1 of 2 instances runs",
  "  rack        1 x down     off              0                  -      -   0/2 r1    ok   3 probes failed: refused",
]
`);
  });

  it('shows the demo: what is being broken, and what it said', () => {
    const model = modelAfter(
      STATUS,
      { type: 'banner', text: '✂ the Cloud Foundry router is killed' },
      { type: 'note', text: '✂ the Cloud Foundry router is killed' },
      { type: 'note', text: '  ocp 50 %, rack 50 %; without cf down: refused' },
    );
    const lines = shown(model, SMALL);
    expect(lines[1]).toBe(' ✂ the Cloud Foundry router is killed');
    expect(lines.slice(11, 15)).toMatchInlineSnapshot(`
[
  "── demo ────────────────────────────────────────────────────────────────────────",
  "✂ the Cloud Foundry router is killed",
  "  ocp 50 %, rack 50 %; without cf down: refused",
  "── decisions and verdicts ──────────────────────────────────────────────────────",
]
`);
  });

  it('shows how far a deployment is', () => {
    const model = modelAfter(
      STATUS,
      {
        type: 'event',
        event: {
          seq: 9,
          at: NOW,
          type: 'deployment.started',
          deployment: 'd-1',
          application: 'shop',
          release: 'r-1111111111',
          number: 3,
          platforms: ['cf', 'ocp'],
        },
      },
      {
        type: 'event',
        event: {
          seq: 10,
          at: NOW,
          type: 'deployment.progress',
          deployment: 'd-1',
          application: 'shop',
          platform: 'cf',
          phase: 'staging',
          message: 'uploading',
          elapsedMs: 10,
        },
      },
    );
    expect(shown(model, SMALL)).toContain('deploying shop r3: cf staging · ocp queued');
  });

  it('says since when nobody answers, and keeps showing what it had', () => {
    const model = modelAfter(
      STATUS,
      { type: 'failed', at: NOW + 2_000, why: 'no Sluice server answers (connect refused)' },
      { type: 'tick', at: NOW + 12_000 },
    );
    const lines = shown(model, SMALL);
    expect(lines[1]).toBe(' this is 12 s old, trying again: no Sluice server answers (connect refused)');
    expect(lines.join('\n')).toContain('✖ down');
    expect(shown(modelAfter({ type: 'failed', at: NOW, why: 'refused' }), SMALL)[1]).toBe(
      ' nothing yet, trying again: refused',
    );
  });

  it('says whom it asks before the first answer', () => {
    expect(shown(modelAfter(), SMALL)[2]).toBe(' asking http://127.0.0.1:9901');
  });

  it('stands still while paused', () => {
    const later = shopStatus({ tableVersion: 18 });
    const model = modelAfter(STATUS, key('p'), { type: 'status', at: NOW + 1_000, status: later });
    expect(shown(model, SMALL)[0]).toMatch(/table 17 .*PAUSED {2}14:03:23$/);
    const going = shown(update(model, key('p')).model, SMALL)[0];
    expect(going).toContain('table 18');
    expect(going).not.toContain('PAUSED');
  });

  it('leaves the address out rather than cut it', () => {
    const model = { ...modelAfter(STATUS), title: 'sluice demo  policy demo.yaml' };
    expect(shown({ ...model, where: 'http://127.0.0.1:42435' }, SMALL)[0]).toMatch(/workers 2\/2 +14:03:22$/);
  });

  it('explains an application on a page of its own', () => {
    const asked = modelAfter(STATUS, key('w'));
    expect(shown(asked, SMALL)[2]).toBe('asking the server');
    const there = update(asked, { type: 'explained', explanation: EXPLANATION }).model;
    expect(shown(there, SMALL).slice(1, 11)).toMatchInlineSnapshot(`
[
  "── why: shop ───────────────────────────────────────────────────────────────────",
  "cf 50 %, ocp 50 %; without rack down: 3 probes failed: refused",
  "  eligibility",
  "    all run r2",
  "  verdicts",
  "    cf up: its origin answers",
  "    rack down: 3 probes failed: refused",
  "  strategy",
  "    tier 1: cf weight 40, ocp weight 40",
  "",
]
`);
    const failed = update(asked, { type: 'unexplained', application: 'shop', why: 'refused' }).model;
    expect(shown(failed, SMALL)[2]).toBe('refused');
  });

  it('scrolls a long explanation and says how much is below', () => {
    const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
    const explanation = { ...EXPLANATION, steps: [{ stage: 'verdicts' as const, lines }] };
    const there = modelAfter(STATUS, key('w'), { type: 'explained', explanation });
    expect(shown(there, SMALL)[22]).toMatch(/^\d+ more lines/);
    const scrolled = update(there, key('pagedown')).model;
    expect(shown(scrolled, SMALL)[3]).toBe('    line 9');
    const end = Array.from({ length: 10 }).reduce<Model>(
      (model) => update(model, key('pagedown')).model,
      there,
    );
    expect(shown(end, SMALL)[21]).toBe('    line 59');
  });

  it('lists the keys', () => {
    expect(shown(modelAfter(STATUS, key('?')), SMALL).slice(1, 11)).toMatchInlineSnapshot(`
[
  "── keys ────────────────────────────────────────────────────────────────────────",
  "  q     quit (also Ctrl-C)",
  "  k     the platform above; in a page, a line up (also ↑)",
  "  j     the platform below; in a page, a line down (also ↓)",
  "  PgUp  ten lines up",
  "  PgDn  ten lines down",
  "  w     why traffic is where it is (also Enter)",
  "  p     hold the picture still, or go on",
  "  ?     this page",
  "  Esc   close the page",
]
`);
  });

  it('asks for a larger window, however small this one is', () => {
    expect(shown(modelAfter(STATUS), { columns: 79, rows: 24 })[0]).toBe('needs 80×24, has 79×24');
    expect(shown(modelAfter(STATUS), { columns: 10, rows: 1 })).toEqual(['needs 80×2']);
    expect(shown(modelAfter(STATUS), { columns: 80, rows: 23 }, ASCII)[0]).toBe('needs 80x24, has 80x23');
  });

  it('keeps the selected platform on the screen however many there are', () => {
    const platforms = Array.from({ length: 40 }, (_, index) => platform(`p${index}`));
    const [shop] = shopStatus().applications;
    const status = shopStatus({ applications: [{ ...shop!, platforms }] });
    const down = Array.from({ length: 35 }, () => key('down'));
    const lines = shown(modelAfter({ type: 'status', at: NOW, status }, ...down), SMALL);
    expect(lines.join('\n')).toContain('▸ p35');
    expect(lines).toHaveLength(24);
  });

  it('never draws outside the screen, whatever it is told', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
    const size = fc.record({
      columns: fc.integer({ min: 1, max: 200 }),
      rows: fc.integer({ min: 1, max: 60 }),
    });
    const states = fc.constantFrom('unknown', 'starting', 'up', 'degraded', 'down');
    const some = fc.record({
      name: text,
      cause: text,
      error: text,
      share: fc.double(),
      rps: fc.float(),
      states,
    });
    fc.assert(
      fc.property(
        size,
        fc.array(some, { maxLength: 30 }),
        text,
        fc.boolean(),
        (screen, all, note, unicode) => {
          const platforms = all.map((one) =>
            platform(one.name, {
              share: one.share,
              rps: one.rps,
              api: { reachable: false, error: one.error, at: NOW },
              verdict: { state: one.states, since: NOW, cause: one.cause, evidence: [one.error] },
            }),
          );
          const status: StatusView = {
            ...shopStatus(),
            applications: [{ name: note, release: undefined, demandRps: 1, platforms }],
          };
          const model = modelAfter(
            { type: 'status', at: NOW, status },
            { type: 'banner', text: note },
            { type: 'note', text: note },
            { type: 'failed', at: NOW, why: note },
          );
          const lines = view(model, screen, unicode ? UNICODE : ASCII);
          expect(lines).toHaveLength(screen.rows);
          for (const line of lines) {
            const drawn = line.map((one) => one.text).join('');
            expect(drawn.length).toBeLessThanOrEqual(screen.columns);
            expect(drawn).not.toMatch(unicode ? /\p{Cc}/u : /[^ -~]/);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
