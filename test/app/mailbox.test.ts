import { expect, it } from '@jest/globals';
import { createMailbox } from '../../src/app/mailbox.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';

function mailbox() {
  let post: (message: string) => void = () => undefined;
  const box = createMailbox<string>((listener) => {
    post = listener;
  });
  return { box, post: (message: string) => post(message) };
}

it('keeps what came before anybody read it, in order, and passes on what comes after', () => {
  const { box, post } = mailbox();
  const read: string[] = [];
  post('a');
  post('b');
  box.open((message) => read.push(message));
  post('c');
  expect(read).toEqual(['a', 'b', 'c']);
});

it('finds the first of a kind, come or coming, and leaves it in the box', async () => {
  const clock = virtualClock();
  const { box, post } = mailbox();
  post('x1');
  expect(await box.first((message) => message.startsWith('x'), clock, 100)).toBe('x1');
  const coming = box.first((message) => message.startsWith('y'), clock, 100);
  post('z');
  post('y1');
  expect(await coming).toBe('y1');
  const read: string[] = [];
  box.open((message) => read.push(message));
  expect(read).toEqual(['x1', 'z', 'y1']);
});

it('gives up in time', async () => {
  const clock = virtualClock();
  const { box } = mailbox();
  const never = box.first(() => true, clock, 100);
  clock.advance(100);
  expect(await never).toBeUndefined();
});
