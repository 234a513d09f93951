import { describe, expect, it } from '@jest/globals';
import { h2loadArguments, readH2load } from './h2load.ts';
import { WORKS } from './works.ts';

const work = WORKS.find(({ key }) => key === 'http2')!;
const LOG = [300, 100, 200].map((micros) => `1795223446158492\t200\t${micros}`).join('\n');

function printed(changes: { counts?: string; data?: number; protocol?: string } = {}): string {
  return [
    `Application protocol: ${changes.protocol ?? 'h2'}`,
    '',
    'finished in 2.00s, 1.50 req/s, 42.13MB/s',
    `requests: 3 total, 5 started, 3 done, ${changes.counts ?? '3 succeeded, 0 failed, 0 errored, 0 timeout'}`,
    'status codes: 3 2xx, 0 3xx, 0 4xx, 0 5xx',
    `traffic: 84.27MB (5000) total, 658.52KB (1000) headers (space savings 86.86%), 3KB (${changes.data ?? 3072}) data`,
  ].join('\n');
}

describe('what h2load printed', () => {
  it('becomes a result, with latencies from its log', () => {
    expect(readH2load(printed(), `${LOG}\n`, { work })).toEqual({
      requests: 3,
      seconds: 2,
      p50Micros: 200,
      p99Micros: 300,
      errors: [],
    });
  });

  it('names failures, other statuses, short bodies and another protocol', () => {
    const text = printed({
      counts: '3 succeeded, 0 failed, 2 errored, 0 timeout',
      data: 2000,
      protocol: 'http/1.1',
    });
    expect(readH2load(text, `${LOG}\n1\t503\t7\n`, { work }).errors).toEqual([
      'errored (2 ×)',
      'the proxy did not agree on HTTP/2',
      '2000 bytes for 3 answers of 1024',
      'status 503 (1 ×)',
    ]);
  });

  it('is refused without a result', () => {
    expect(() => readH2load('could not connect', '', { work })).toThrow('could not connect');
  });

  it('comes from as many connections and streams as the work says', () => {
    const order = {
      url: 'https://127.0.0.1:1',
      work,
      seconds: 3,
      core: 0,
      folder: '/',
      signal: new AbortController().signal,
    };
    expect(h2loadArguments(order, 'log')).toEqual(
      expect.arrayContaining(['--clients=16', '--max-concurrent-streams=4', '--duration=3']),
    );
  });
});
