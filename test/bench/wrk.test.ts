import { describe, expect, it } from '@jest/globals';
import { readWrk } from './wrk.ts';

describe('what wrk printed', () => {
  const printed = (changes: object = {}): string =>
    `Running 3s test\nRESULT ${JSON.stringify({
      ...{ requests: 100, micros: 3_000_000, bytes: 130_000, p50: 900.5, p99: 2100 },
      ...{ connect: 0, read: 0, write: 0, status: 0, timeout: 0 },
      ...changes,
    })}\n`;

  it('becomes a result', () => {
    expect(readWrk(printed(), 1024)).toEqual({
      requests: 100,
      seconds: 3,
      p50Micros: 900.5,
      p99Micros: 2100,
      errors: [],
    });
  });

  it('names each kind of error', () => {
    expect(readWrk(printed({ status: 7, timeout: 1 }), 1024).errors).toEqual([
      'status (7 ×)',
      'timeout (1 ×)',
    ]);
  });

  it('finds bodies that are too short on the whole', () => {
    expect(readWrk(printed({ bytes: 60_000 }), 1024).errors).toEqual(['60000 bytes for 100 answers of 1024']);
  });

  it('is refused without the line of our script', () => {
    expect(() => readWrk('unable to connect', 1024)).toThrow('unable to connect');
  });
});
