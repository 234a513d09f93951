import { describe, expect, it } from '@jest/globals';
import { casesOf, type EndpointReport, isGood, reportText } from './report.ts';

const WRITTEN = {
  testResults: [
    {
      assertionResults: [
        { fullName: 'provider conformance: openshift deploys', status: 'passed', duration: 12 },
        { fullName: 'provider conformance: openshift slow API', status: 'passed', duration: 1 },
        {
          fullName: 'provider conformance: openshift crashes',
          status: 'failed',
          failureMessages: ['it hung'],
        },
        { fullName: 'provider conformance: openshift not asked for', status: 'pending' },
        { fullName: 'provider conformance: cloudfoundry deploys', status: 'passed' },
      ],
    },
  ],
};

function endpoint(change: Partial<EndpointReport> = {}): EndpointReport {
  return {
    kind: 'openshift',
    address: 'https://api.ocp.example.com:6443',
    platform: 'the API refused the token',
    cases: [{ name: 'deploys', result: 'passed', ms: 12 }],
    cleanUp: { removed: ['slc-1-runs'], left: [] },
    ...change,
  };
}

describe('a report', () => {
  it('has the cases of its kind, and tells those that were left out from those that passed', () => {
    const leftOut = new Set(['provider conformance: openshift slow API']);
    expect(casesOf('openshift', WRITTEN, leftOut)).toEqual([
      { name: 'deploys', result: 'passed', ms: 12 },
      { name: 'slow API', result: 'left out', ms: 1 },
      { name: 'crashes', result: 'failed', ms: 0, why: 'it hung' },
    ]);
  });

  it('has none where the suite wrote nothing', () => {
    expect(casesOf('openshift', null, new Set())).toEqual([]);
  });

  it.each([
    ['all passed and nothing is left', endpoint(), true],
    ['a case failed', endpoint({ cases: [{ name: 'a', result: 'failed', ms: 1 }] }), false],
    ['nothing was run', endpoint({ cases: [] }), false],
    ['everything was left out', endpoint({ cases: [{ name: 'a', result: 'left out', ms: 1 }] }), false],
    [
      'something is left behind',
      endpoint({ cleanUp: { removed: [], left: ['slc-1-runs: timeout'] } }),
      false,
    ],
  ])('is good only where %s', (_what, given, expected) => {
    expect(isGood([given])).toBe(expected);
  });

  it('is text for people, with what was left behind', () => {
    const cases = casesOf('openshift', WRITTEN, new Set());
    const cleanUp = { removed: ['slc-1-runs'], left: ['slc-1-fails: no answer'] };
    const endpoints = [endpoint({ cases, cleanUp })];
    const text = reportText({
      at: '2026-11-29T18:00:00.000Z',
      sluice: '0.1.0',
      prefix: 'slc-1',
      ok: false,
      endpoints,
    });
    expect(text).toContain('openshift at https://api.ocp.example.com:6443: the API refused the token');
    expect(text).toContain('failed   crashes (0 ms)\n           it hung');
    expect(text).toContain('2 passed, 1 failed, 0 left out');
    expect(text).toContain('LEFT BEHIND slc-1-fails: no answer');
    expect(text.trimEnd().endsWith('NOT verified')).toBe(true);
  });
});
