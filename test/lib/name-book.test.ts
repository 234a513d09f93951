import { describe, expect, it } from '@jest/globals';
import type { NameAnswer, NameResolver } from '../../src/core/ports.ts';
import { NameBook } from '../../src/lib/name-book.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';

interface Question {
  readonly name: string;
  readonly at: number;
  readonly answer: (answer: NameAnswer | Error) => Promise<void>;
}

function setUp(believeMs = 30_000) {
  const clock = virtualClock();
  const questions: Question[] = [];
  const changes: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: object, message: string): void => void lines.push({ message, ...fields });
  const resolver: NameResolver = {
    resolve: (name) =>
      new Promise((resolve, reject) => {
        questions.push({
          name,
          at: clock.now(),
          answer(answer) {
            if (answer instanceof Error) reject(answer);
            else resolve(answer);
            return new Promise((done) => setImmediate(done));
          },
        });
      }),
  };
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  const book = new NameBook({ resolver, clock, random: () => 0, logger }, believeMs, (name) => {
    changes.push(name);
  });
  return { clock, questions, changes, lines, book, last: () => questions.at(-1)! };
}

const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND shop'), { code: 'ENOTFOUND' });

describe('a book of names', () => {
  it('asks for what is watched, and says when it knows', async () => {
    const { book, questions, changes, last } = setUp();
    book.watch(new Set(['shop']));
    expect([book.isPending('shop'), book.addresses('shop')]).toEqual([true, []]);
    book.watch(new Set(['shop']));
    expect(questions).toHaveLength(1);
    await last().answer({ addresses: [B, A, '::1', A] });
    expect(book.addresses('shop')).toEqual([A, B, '::1']);
    expect(book.isPending('shop')).toBe(false);
    expect(changes).toEqual(['shop']);
  });

  it('believes an answer as long as its owner says, at most its own time, and at least a second', async () => {
    const { book, clock, questions, last } = setUp(30_000);
    book.watch(new Set(['shop']));
    await last().answer({ addresses: [A] });
    clock.advance(29_999);
    expect(questions).toHaveLength(1);
    clock.advance(1);
    expect(questions).toHaveLength(2);
    await last().answer({ addresses: [A], ttlMs: 5_000 });
    clock.advance(5_000);
    expect(questions).toHaveLength(3);
    await last().answer({ addresses: [A], ttlMs: 0 });
    clock.advance(999);
    expect(questions).toHaveLength(3);
    clock.advance(1);
    expect(questions).toHaveLength(4);
    await last().answer({ addresses: [A], ttlMs: 3_600_000 });
    book.believe(10_000);
    clock.advance(30_000);
    await last().answer({ addresses: [A], ttlMs: 3_600_000 });
    clock.advance(10_000);
    expect(questions).toHaveLength(6);
  });

  it('tells of other addresses, and of nothing when they only come in another order', async () => {
    const { book, clock, changes, lines, last } = setUp();
    book.watch(new Set(['shop']));
    await last().answer({ addresses: [A, B] });
    clock.advance(30_000);
    await last().answer({ addresses: [B, A] });
    expect(changes).toHaveLength(1);
    clock.advance(30_000);
    await last().answer({ addresses: [B, '10.0.0.3'] });
    expect(changes).toHaveLength(2);
    expect(lines.at(-1)).toMatchObject({ name: 'shop', added: ['10.0.0.3'], removed: [A] });
  });

  it.each([
    ['fails', notFound, 'ENOTFOUND'],
    ['is empty', { addresses: [] }, 'no address'],
    ['holds nothing but nonsense', { addresses: ['0.0.0.0', '::', '224.0.0.1', 'x'] }, 'no address'],
  ])(
    'keeps the last good addresses when an answer %s, says how old they are, and asks again',
    async (_what, bad, why) => {
      const { book, clock, questions, changes, lines, last } = setUp();
      book.watch(new Set(['shop']));
      await last().answer({ addresses: [A] });
      clock.advance(30_000);
      await last().answer(bad);
      expect(book.addresses('shop')).toEqual([A]);
      expect(book.counts).toEqual({ failures: 1, failing: 1 });
      expect(lines.at(-1)).toMatchObject({ name: 'shop', ageS: 30, why: expect.stringContaining(why) });
      const before = questions.length;
      clock.advance(1_000);
      await last().answer(bad);
      clock.advance(2_000);
      await last().answer(bad);
      expect(questions).toHaveLength(before + 2);
      // An hour later it is still asked for and still used.
      for (let i = 0; i < 120; i += 1) {
        clock.advance(30_000);
        await last().answer(bad);
      }
      expect(questions.length).toBeGreaterThan(before + 100);
      expect(book.addresses('shop')).toEqual([A]);
      expect(changes).toHaveLength(1);
      clock.advance(30_000);
      await last().answer({ addresses: [B] });
      expect(book.addresses('shop')).toEqual([B]);
      expect(changes).toHaveLength(2);
    },
  );

  it('says why a name never stood for anything, with what to do, and lets nobody wait for it', async () => {
    const { book, changes, lines, last } = setUp();
    book.watch(new Set(['shop']));
    await last().answer(notFound);
    expect([book.isPending('shop'), book.addresses('shop')]).toEqual([false, []]);
    expect(changes).toEqual(['shop']);
    expect(lines.at(-1)).toMatchObject({ name: 'shop', why: 'ENOTFOUND', remedy: expect.any(String) });
  });

  it('lets nobody wait for a question that hangs, does not ask beside it, and takes its late answer', async () => {
    const { book, clock, questions, changes, last } = setUp();
    book.watch(new Set(['shop', 'other']));
    await last().answer({ addresses: [B] });
    expect(book.addresses('other')).toEqual([B]);
    clock.advance(5_000);
    expect(book.isPending('shop')).toBe(false);
    expect(changes).toEqual(['other', 'shop']);
    clock.advance(20_000);
    expect(questions.filter(({ name }) => name === 'shop')).toHaveLength(1);
    await questions[0]!.answer({ addresses: [A] });
    expect(book.addresses('shop')).toEqual([A]);
  });

  it('asks no more for what is not watched, and knows it still when it comes back', async () => {
    const { book, clock, questions, last } = setUp();
    book.watch(new Set(['shop']));
    await last().answer({ addresses: [A] });
    book.watch(new Set());
    clock.advance(120_000);
    expect(questions).toHaveLength(1);
    book.watch(new Set(['shop']));
    expect([book.isPending('shop'), book.addresses('shop')]).toEqual([false, [A]]);
    expect(questions).toHaveLength(2);
  });

  it('does nothing any more once it is closed', async () => {
    const { book, clock, questions, changes, lines, last } = setUp();
    book.watch(new Set(['shop']));
    book.close();
    await last().answer({ addresses: [A] });
    clock.advance(60_000);
    book.watch(new Set(['other']));
    expect([questions.length, changes, lines]).toEqual([1, [], []]);
  });
});
