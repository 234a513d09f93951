import { afterAll, expect, it } from '@jest/globals';
import type { Cleanup } from '../gateway/harness.ts';
import { fuzzWires } from './wires.ts';

const cleanup: Cleanup = { tasks: [] };

afterAll(async () => {
  for (const task of cleanup.tasks) await task();
});

it('passes nothing on that the compat wire refuses, and the rest as it does', async () => {
  const report = await fuzzWires({ count: 400, goesOn: () => true }, 1, cleanup);
  expect(report.disagreements).toEqual([]);
  expect(report.messages).toBe(400);
  expect(report.bothAccept).toBeGreaterThan(100);
});
