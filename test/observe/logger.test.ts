import { describe, expect, it } from '@jest/globals';
import { createRedactor } from '../../src/lib/redact.ts';
import { createLogger } from '../../src/observe/logger.ts';

function lines(json: boolean, level = 'info') {
  const written: string[] = [];
  const redactor = createRedactor(['canary-S3cret']);
  const logger = createLogger({
    level,
    json,
    redact: (line) => redactor.text(line),
    write: (line) => written.push(line),
    name: 'worker 0',
  });
  return { logger, written };
}

describe('the log', () => {
  it('is one line for people: time, level, who, what, details', () => {
    const { logger, written } = lines(false);
    logger.warn({ origin: 'a/h:1', count: 2 }, 'origin ejected');
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}worker 0: origin ejected origin=a\/h:1 count=2\n$/,
    );
  });

  it('is JSON for machines', () => {
    const { logger, written } = lines(true);
    logger.info({ version: 3 }, 'published');
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ process: 'worker 0', msg: 'published', version: 3 });
  });

  it('holds no secret, in any field', () => {
    for (const json of [true, false]) {
      const { logger, written } = lines(json);
      logger.error({ err: 'login with canary-S3cret' }, 'canary-S3cret was refused');
      expect(written.join()).not.toContain('canary-S3cret');
    }
  });

  it('leaves out what is below its level', () => {
    const { logger, written } = lines(true, 'warn');
    logger.info({}, 'nothing of note');
    expect(written).toEqual([]);
  });
});
