import { describe, expect, it } from '@jest/globals';
import { createLoops } from '../../src/runner/host/loops.ts';

/** Work that waits to be let go, one run at a time. */
function work() {
  const runs: string[] = [];
  const gates: (() => void)[] = [];
  return {
    runs,
    begin(key: string): Promise<void> {
      runs.push(key);
      return new Promise((resolve) => gates.push(resolve));
    },
    async finish(): Promise<void> {
      gates.shift()?.();
      for (let i = 0; i < 10; i++) await Promise.resolve();
    },
  };
}

describe('loops', () => {
  it('run once more for any number of kicks while at work', async () => {
    const given = work();
    const loops = createLoops(given.begin, () => undefined);
    loops.kick('a');
    loops.kick('a');
    loops.kick('a');
    expect(given.runs).toEqual(['a']);
    await given.finish();
    expect(given.runs).toEqual(['a', 'a']);
    await given.finish();
    expect(given.runs).toEqual(['a', 'a']);
    loops.kick('a');
    expect(given.runs).toEqual(['a', 'a', 'a']);
  });

  it('do not make keys wait for each other', () => {
    const given = work();
    const loops = createLoops(given.begin, () => undefined);
    loops.kick('a');
    loops.kick('b');
    expect(given.runs).toEqual(['a', 'b']);
  });

  it('report a failure and can be kicked again', async () => {
    const failures: unknown[] = [];
    let runs = 0;
    const loops = createLoops(
      async () => {
        runs++;
        throw new Error('disk full');
      },
      (key, error) => failures.push([key, String(error)]),
    );
    loops.kick('a');
    for (let i = 0; i < 10; i++) await Promise.resolve();
    loops.kick('a');
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect(runs).toBe(2);
    expect(failures).toEqual([
      ['a', 'Error: disk full'],
      ['a', 'Error: disk full'],
    ]);
  });

  it('stop when closed', async () => {
    const given = work();
    const loops = createLoops(given.begin, () => undefined);
    loops.kick('a');
    loops.kick('a');
    loops.close();
    await given.finish();
    expect(given.runs).toEqual(['a']);
  });
});
