import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { readBody } from '../../src/lib/read-body.ts';

describe('reading a body', () => {
  it('takes text and bytes up to the limit', async () => {
    const stream = Readable.from([Buffer.from('ab'), 'c']);
    expect((await readBody(stream, 3, () => new Error('too large'))).toString()).toBe('abc');
  });

  it('refuses at the first byte too many, without waiting for the end', async () => {
    let handed = 0;
    async function* endless() {
      for (;;) {
        handed++;
        yield Buffer.alloc(1);
      }
    }
    await expect(readBody(Readable.from(endless()), 10, () => new Error('too large'))).rejects.toThrow(
      'too large',
    );
    expect(handed).toBeLessThan(100);
  });
});
