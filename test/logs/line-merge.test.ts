import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../src/core/logs.ts';
import { createLineMerge } from '../../src/logs/line-merge.ts';

function line(platform: string, at: number): LogEntry {
  return { at, application: 'shop', platform, source: 'app', text: `${platform} ${at}` };
}

function texts(entries: readonly LogEntry[]): readonly string[] {
  return entries.map(({ text }) => text);
}

describe('the merge of lines', () => {
  it('waits for who tells late, and gives out by time', () => {
    const merge = createLineMerge(1_000);
    merge.add([line('cf', 100), line('cf', 300)], 400);
    expect(merge.take(1_300)).toEqual([]);
    merge.add([line('ocp', 200)], 1_350);
    expect(texts(merge.take(1_400))).toEqual(['cf 100', 'ocp 200', 'cf 300']);
    expect(merge.rest()).toEqual([]);
  });

  it('does not keep what came after the due ones back for longer than its own time', () => {
    const merge = createLineMerge(1_000);
    merge.add([line('cf', 100)], 100);
    merge.add([line('ocp', 900)], 900);
    expect(texts(merge.take(1_100))).toEqual(['cf 100']);
    expect(texts(merge.take(1_900))).toEqual(['ocp 900']);
  });

  it('keeps lines of one moment as they came', () => {
    const merge = createLineMerge(0);
    merge.add(
      [
        { ...line('cf', 5), text: 'b' },
        { ...line('cf', 5), text: 'a' },
      ],
      5,
    );
    expect(texts(merge.take(5))).toEqual(['b', 'a']);
  });

  it('loses the oldest when nobody takes, and counts them once', () => {
    const merge = createLineMerge(0, 2);
    merge.add([line('cf', 3), line('cf', 1), line('cf', 2)], 3);
    expect(merge.takeLost()).toBe(1);
    expect(merge.takeLost()).toBe(0);
    expect(texts(merge.rest())).toEqual(['cf 2', 'cf 3']);
  });
});
