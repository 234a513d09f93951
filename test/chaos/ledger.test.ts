import { describe, expect, it } from '@jest/globals';
import { compareLedger } from './ledger.ts';
import type { OutcomeName, Sample } from './samples.ts';

function order(unsafe: string | undefined, outcome: OutcomeName = 'ok'): Sample {
  return { dueAt: 0, endedAt: 1, outcome, side: 'primary', unsafe };
}

describe('the ledger', () => {
  it('finds what was executed twice, on whichever side and whatever the client saw', () => {
    const samples = [order('/orders/1'), order('/orders/2', 'failed'), order('/orders/3')];
    const found = compareLedger(samples, ['/orders/1', '/orders/2', '/orders/3', '/orders/2', '/orders/3']);
    expect(found.twice).toEqual(['/orders/2', '/orders/3']);
  });

  it('finds what succeeded for the client and was never executed', () => {
    expect(compareLedger([order('/orders/1'), order('/orders/2')], ['/orders/1']).lost).toEqual([
      '/orders/2',
    ]);
  });

  it('counts what failed for the client, and which of that was executed', () => {
    const samples = [
      order('/orders/1'),
      order('/orders/2', 'timeout'),
      order('/orders/3', 'status'),
      order(undefined, 'failed'),
    ];
    expect(compareLedger(samples, ['/orders/1', '/orders/2'])).toEqual({
      sent: 3,
      ok: 1,
      failed: 2,
      failedButExecuted: 1,
      twice: [],
      lost: [],
    });
  });
});
