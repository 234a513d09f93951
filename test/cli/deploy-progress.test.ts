import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { deployProgress } from '../../src/cli/deploy-progress.ts';
import type { DomainEvent, LoggedEvent } from '../../src/core/events.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { fakeIo } from '../support/fake-io.ts';

const of = { deployment: 'd-1', application: 'shop' } as const;
const STORY: readonly DomainEvent[] = [
  { type: 'deployment.started', ...of, release: 'r-1', number: 4, platforms: ['cf', 'rack'] },
  {
    type: 'deployment.progress',
    ...of,
    platform: 'cf',
    phase: 'staging',
    message: 'uploading',
    elapsedMs: 900,
  },
  { type: 'deployment.target', ...of, platform: 'rack', outcome: 'live', firstInstanceMs: 500 },
  {
    type: 'deployment.target',
    ...of,
    platform: 'cf',
    outcome: 'failed',
    error: { code: 'BUILD_FAILED', message: 'the build failed', why: 'exit status 3', logTail: ['npm ci'] },
  },
  { type: 'deployment.finished', ...of, release: 'r-1', outcome: 'partly', elapsedMs: 2_000, seconds: {} },
];
const EVENTS = STORY.map((event, index): LoggedEvent => ({ seq: index + 1, at: 0, ...event }));
const ERROR = '✖ the build failed [BUILD_FAILED]\n  why    exit status 3\n  log    npm ci\n';

async function shown(json: boolean, isTty: boolean) {
  const fake = fakeIo({ isTty });
  const progress = deployProgress(fake.io, json);
  for (const event of EVENTS) progress.accept(event);
  await progress.close();
  return fake;
}

describe('a deployment', () => {
  it('is NDJSON for programs, and nothing else', async () => {
    const fake = await shown(true, true);
    expect(
      fake
        .stdout()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LoggedEvent),
    ).toEqual(EVENTS);
    expect(fake.stderr()).toBe('');
  });

  it('is a plain line an event where there is no terminal; errors come whole, on stderr', async () => {
    const fake = await shown(false, false);
    const lines = fake.stdout().trim().split('\n');
    expect(lines).toHaveLength(EVENTS.length);
    expect(lines[1]).toBe('1970-01-01T00:00:00.000Z cf staging: uploading (0.9 s)');
    expect(fake.stderr()).toBe(ERROR);
  });

  it('is a live line a platform on a terminal, drawn by what the command was given to write to', async () => {
    const fake = await shown(false, true);
    const text = stripVTControlCharacters(fake.stdout());
    expect(text).toContain('rack live (first instance 0.5 s)');
    expect(text).toContain('cf failed: the build failed: exit status 3');
    expect(fake.stderr()).toBe(ERROR);
  });
});

describe('the live lines', () => {
  it('leave Ctrl-C to the command', async () => {
    const before = process.listenerCount('SIGINT');
    const progress = deployProgress(fakeIo({ isTty: true }).io, false);
    progress.accept(EVENTS[0]!);
    expect(process.listenerCount('SIGINT')).toBe(before);
    await progress.close();
  });

  it('end although the deployment does not: it goes on in the server', async () => {
    const fake = fakeIo({ isTty: true });
    const progress = deployProgress(fake.io, false);
    for (const event of EVENTS.slice(0, 2)) progress.accept(event);
    progress.note('d-1 goes on in the server');
    await systemClock.sleep(150);
    await progress.close();
    const text = stripVTControlCharacters(fake.stdout());
    expect(text).toContain('cf  staging · uploading · 0.9 s');
    expect(text).toContain('d-1 goes on in the server');
  });

  it('say a word beside them when there are none yet', async () => {
    const fake = fakeIo({ isTty: true });
    const progress = deployProgress(fake.io, false);
    progress.note('hello');
    await progress.close();
    expect(fake.stderr()).toBe('hello\n');
  });
});

describe('a deployment in step', () => {
  const CANARY: readonly DomainEvent[] = [
    {
      type: 'deployment.started',
      ...of,
      ...{ release: 'r-1', number: 4, platforms: ['cf'], strategy: 'canary' },
    },
    { type: 'deployment.step', ...of, release: 'r-1', step: 1, of: 3, part: 0.05 },
    { type: 'deployment.target', ...of, platform: 'cf', outcome: 'rolledBack' },
    {
      type: 'deployment.finished',
      ...of,
      release: 'r-1',
      ...{ outcome: 'rolledBack', elapsedMs: 1, seconds: {} },
    },
  ];

  it.each([false, true])('shows the step of all beside each platform (terminal: %s)', async (isTty) => {
    const fake = fakeIo({ isTty });
    const progress = deployProgress(fake.io, false);
    for (const [index, event] of CANARY.entries()) progress.accept({ seq: index + 1, at: 0, ...event });
    await progress.close();
    const text = stripVTControlCharacters(fake.stdout());
    expect(text).toContain('step 1/3: r-1 gets 5 % of the traffic on every platform');
    expect(text).toContain('cf: taken back; nothing was replaced there');
  });
});
