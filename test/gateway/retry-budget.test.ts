import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RetryBudget } from '../../src/gateway/retry-budget.ts';

describe('the retry budget', () => {
  it('is a fifth of the active requests, and never less than three', () => {
    const budget = new RetryBudget({ ratio: 0.2, min: 3 });
    expect(budget.limit).toBe(3);
    budget.active = 100;
    expect(budget.limit).toBe(20);
  });

  it('hands a slot to who waits, first come first served', () => {
    const budget = new RetryBudget({ ratio: 0, min: 1 });
    expect(budget.acquire()).toBe(true);
    const order: string[] = [];
    const waiter = (name: string) => ({ onBudget: () => void order.push(name) });
    const [a, b, c] = [waiter('a'), waiter('b'), waiter('c')];
    for (const each of [a!, b!, c!]) budget.wait(each);
    budget.cancel(b!);
    budget.release();
    expect(order).toEqual(['a']);
    budget.release();
    expect(order).toEqual(['a', 'c']);
    budget.release();
    expect(budget.retrying).toBe(0);
  });

  it('is never overdrawn, whatever the order of events', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('acquire', 'release', 'wait', 'more', 'less'), { maxLength: 200 }),
        (events) => {
          const budget = new RetryBudget({ ratio: 0.2, min: 3 });
          let held = 0;
          const waiter = {
            onBudget() {
              held += 1;
            },
          };
          for (const event of events) {
            if (event === 'acquire' && budget.acquire()) held += 1;
            else if (event === 'release' && held > 0) {
              held -= 1;
              budget.release();
            } else if (event === 'wait') budget.wait(waiter);
            else if (event === 'more') budget.active += 10;
            else if (event === 'less') budget.active = Math.max(0, budget.active - 10);
            expect(budget.retrying).toBe(held);
          }
          const before = budget.retrying;
          if (budget.acquire()) expect(before).toBeLessThan(budget.limit);
          else expect(before).toBeGreaterThanOrEqual(budget.limit);
        },
      ),
    );
  });
});
