import { describe, expect, it } from '@jest/globals';
import { exitStatusOf } from '../../src/cli/deploy.ts';
import { isMeant } from '../../src/cli/events.ts';
import { formatExplanation } from '../../src/cli/explain.ts';
import { formatCaught, formatError } from '../../src/cli/print-error.ts';
import { formatStatus } from '../../src/cli/status.ts';
import { formatTable } from '../../src/cli/text-table.ts';
import type { DeploymentRecord } from '../../src/core/deployment.ts';
import { ERROR_CODES, type ErrorCode, SluiceError } from '../../src/core/errors.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { PlatformStatus } from '../../src/core/status.ts';
import { sampleRelease } from '../support/sample-app.ts';

describe('a table', () => {
  it('pads all columns but the last, and leaves no blanks at the end', () => {
    expect(formatTable(['a', 'long head', 'b'], [['wide cell', 'x', ''], ['y']])).toBe(
      'a          long head  b\nwide cell  x\ny\n',
    );
  });
});

describe('an error', () => {
  it('says what, where, why, what to do, and the end of the log', () => {
    const text = formatError({
      code: 'BUILD_FAILED',
      message: 'the build failed',
      where: 'cf-eu',
      why: 'exit status 3',
      remedy: 'read the log',
      logTail: ['npm ci', 'no such package'],
    });
    expect(text).toBe(
      [
        '✖ the build failed [BUILD_FAILED]',
        '  where  cf-eu',
        '  why    exit status 3',
        '  do     read the log',
        '  log    npm ci',
        '  log    no such package',
        '',
      ].join('\n'),
    );
  });

  it('of several lines keeps them under one another', () => {
    expect(formatError({ code: 'BUG', message: 'no', why: 'one\ntwo\n' })).toBe(
      '✖ no [BUG]\n  why    one\n         two\n',
    );
  });

  it('steers no terminal', () => {
    const text = formatError({ code: 'BUG', message: 'a\u001b[2Jb', logTail: ['x\u0007\ry'] });
    expect(text).toBe('✖ ab [BUG]\n  log    x y\n');
  });

  it('has the status of its code; a bug of ours brings its stack', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(formatCaught(new SluiceError(code, 'x')).status).toBe(ERROR_CODES[code].exit);
    }
    const { text, status } = formatCaught(new TypeError('x is not a function'));
    expect(status).toBe(1);
    expect(text).toMatch(/^✖ x is not a function \[BUG\]\nTypeError: .*\n {4}at /);
  });
});

describe('the exit status of a deployment', () => {
  function record(outcome: DeploymentRecord['outcome'], codes: readonly ErrorCode[] = []): DeploymentRecord {
    const targets = codes.map((code, index) => {
      const error = { code, message: 'no' };
      return [`p${index}`, { phase: 'failed' as const, startedAt: 0, error }] as const;
    });
    const release = sampleRelease('shop', 1);
    return {
      id: 'd-1',
      application: 'shop',
      release,
      startedAt: 0,
      targets: Object.fromEntries(targets),
      ...(outcome === undefined ? {} : { outcome }),
    };
  }

  it.each([
    ['done', [], 0],
    ['partly', ['BUILD_FAILED'], 3],
    ['stopped', [], 130],
    ['failed', ['VERIFY_TIMEOUT', 'PLATFORM_TIMEOUT'], 5],
    ['failed', ['RELEASE_MISMATCH'], 6],
    ['failed', ['BUILD_FAILED', 'VERIFY_TIMEOUT'], 1],
    ['failed', [], 1],
  ] as const)('%s with %j is %i', (outcome, codes, status) => {
    expect(exitStatusOf(record(outcome, codes))).toBe(status);
  });
});

describe('the status', () => {
  const platform: PlatformStatus = {
    name: 'cf',
    provider: 'cloudfoundry',
    tier: 1,
    verdict: { state: 'up', since: 0, cause: 'all probes answered', evidence: [] },
    share: 0.604,
    state: 'active',
    rps: 12.4,
    errorRate: 0.0123,
    p95Ms: 41.6,
    instances: { running: 2, desired: 3 },
    usage: { cpu: 0.4, memoryBytes: 120 * 1024 ** 2, restarts: 1 },
    release: { id: 'r-0123456789', number: 42 },
    api: { reachable: true, at: 0 },
    ejectedOrigins: 0,
    origins: 1,
  };

  it('is a line a platform; what is not known is a dash', () => {
    const bare: PlatformStatus = {
      ...platform,
      name: 'rack',
      state: 'spare',
      p95Ms: 0,
      instances: undefined,
      release: { id: 'r-9876543210' },
      api: { reachable: false, error: 'refused', at: 0 },
    };
    const text = formatStatus({
      at: 0,
      version: '0',
      tableVersion: 7,
      workers: { wanted: 2, ready: 1 },
      applications: [
        {
          name: 'shop',
          release: { id: 'r-0123456789', number: 42 },
          demandRps: 20.4,
          platforms: [platform, bare, { ...bare, name: 'x', release: undefined, api: undefined }],
        },
      ],
      recent: [],
    });
    const [head, , title, columns, cf, rack, x] = text.split('\n').map((line) => line.split(/ {2,}/));
    expect(head).toEqual(['table 7, workers 1/2']);
    expect(title).toEqual(['shop', 'r42 (r-0123456789)', '20 rps']);
    expect(columns?.slice(-3)).toEqual(['release', 'api', 'why']);
    expect(cf).toEqual([
      'cf',
      '1',
      'up',
      '60 %',
      '12',
      '1.2 %',
      '42 ms',
      '2/3',
      '40 %',
      '120Mi',
      '1',
      'r42',
      'ok',
      'all probes answered',
    ]);
    expect(rack?.slice(3)).toEqual([
      'spare',
      '12',
      '1.2 %',
      '-',
      '-',
      '40 %',
      '120Mi',
      '1',
      'r-9876543210',
      'down',
      'all probes answered',
    ]);
    expect(x?.slice(11, 13)).toEqual(['-', '-']);
  });
});

describe('an explanation', () => {
  it('gives the sentence first, then the proof stage by stage', () => {
    expect(
      formatExplanation({
        application: 'shop',
        at: 0,
        shares: { cf: 1 },
        summary: 'cf carries all',
        steps: [{ stage: 'verdicts', lines: ['cf up', 'rack down'] }],
      }),
    ).toBe('shop: cf carries all\n  verdicts\n    cf up\n    rack down\n');
  });
});

describe('status', () => {
  it('says that a changed configuration was not taken, and why', () => {
    const text = formatStatus({
      ...{
        at: 0,
        version: '0',
        tableVersion: 7,
        workers: { wanted: 2, ready: 2 },
        applications: [],
        recent: [],
      },
      configuration: {
        file: '/etc/sluice.yaml',
        since: 0,
        refused: {
          at: 1,
          message: 'sluice.yaml has 2 faults',
          why: 'first\nsecond',
          remedy: 'mend it',
          diagnostics: [],
        },
      },
    });
    expect(text).toBe(
      [
        'table 7, workers 2/2',
        '',
        '✖ the changed configuration is not in force: sluice.yaml has 2 faults',
        '  first',
        '  second',
        '  do mend it',
        '',
      ].join('\n'),
    );
  });
});

describe('events', () => {
  it('are those of an application and of platforms; what names none is about all', () => {
    const verdict = { type: 'verdict.changed', application: 'shop', platform: 'cf' } as LoggedEvent;
    const fault = {
      type: 'fault.over',
      application: 'shop',
      platforms: ['cf', 'ocp'],
    } as unknown as LoggedEvent;
    const process = { type: 'process.started' } as LoggedEvent;
    expect([verdict, fault, process].map((event) => isMeant(event, { app: 'shop', on: ['ocp'] }))).toEqual([
      false,
      true,
      true,
    ]);
    expect([verdict, fault, process].map((event) => isMeant(event, { app: 'other' }))).toEqual([
      false,
      false,
      true,
    ]);
  });
});
