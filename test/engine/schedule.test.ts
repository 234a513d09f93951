import { describe, expect, it } from '@jest/globals';
import { schedule } from '../../src/engine/schedule.ts';
import { silent } from '../support/scenario.ts';

describe('schedule', () => {
  it('runs by the clock until disposed, and survives a run that fails', async () => {
    const errors: string[] = [];
    const logger = { ...silent, error: (_fields: object, message: string) => void errors.push(message) };
    let runs = 0;
    let second = (): void => undefined;
    const twice = new Promise<void>((resolve) => {
      second = resolve;
    });
    const dispose = schedule(
      '* * * * * *',
      () => {
        runs += 1;
        if (runs === 2) second();
        throw new Error('not this time');
      },
      logger,
    );
    await twice;
    dispose();
    dispose();
    expect(runs).toBe(2);
    expect(errors[0]).toBe('a scheduled run failed');
  });

  it('refuses what is no cron expression', () => {
    expect(() => schedule('every now and then', () => undefined, silent)).toThrow();
  });
});
