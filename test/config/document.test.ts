import { describe, expect, it } from '@jest/globals';
import { readDocument } from '../../src/config/document.ts';
import { faultsOf, soundFile } from './support.ts';

function read(text: string) {
  return readDocument({
    file: 'f',
    text,
    resolve: (given) => ({ text: given, references: [], faults: [] }),
    isText: () => false,
  });
}

describe('aliases and merges', () => {
  it('give what they stand for, a map’s own keys first, then the first named', () => {
    const { value, diagnostics } = read(`
a: &a { x: 1, y: { z: 1 } }
b: &b { x: 2, w: 2 }
c: { <<: [*a, *b], x: 3 }
d: *a
e: &e { <<: *a, v: 1 }
f: { <<: *e }
`);
    expect(diagnostics).toEqual([]);
    expect(value).toMatchObject({
      c: { x: 3, y: { z: 1 }, w: 2 },
      d: { x: 1, y: { z: 1 } },
      f: { x: 1, v: 1 },
    });
  });

  it.each([
    ['a: *gone', 'no anchor &gone stands before this alias'],
    ['a: &a [1, *a]', 'the alias *a contains itself'],
    ['a: &a { b: { c: *a } }', 'the alias *a contains itself'],
    ['a: &a { <<: *a }', '<< takes maps'],
    ['a: { <<: 3 }', '<< takes maps'],
  ])('refuse %j', (text, summary) => {
    const { diagnostics } = read(text);
    expect(diagnostics).toEqual([expect.objectContaining({ summary, line: 1 })]);
  });

  it('are bounded: a bomb is refused at once', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const began = performance.now();
    const document = read(lines.join('\n'));
    expect(document.readable).toBe(false);
    expect(document.diagnostics).toEqual([
      expect.objectContaining({ summary: 'the file is too big once its aliases are expanded' }),
    ]);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  it('are bounded in depth', () => {
    expect(read(`a: ${'['.repeat(60)}${']'.repeat(60)}`).readable).toBe(false);
  });
});

describe('places', () => {
  it('are those of the key or of the value, and of the nearest thing above what is missing', () => {
    const document = read('a:\n  - b: 1\n    c:\nd: { e: "x" }\n');
    expect(document.position(['a', 0, 'b'], 'key')).toEqual({ line: 2, column: 5 });
    expect(document.position(['a', 0, 'b'], 'value')).toEqual({ line: 2, column: 8 });
    expect(document.position(['a', 0, 'c'], 'value')).toEqual({ line: 3, column: 5 });
    expect(document.position(['d', 'gone', 'deeper'], 'value')).toEqual({ line: 4, column: 1 });
    expect(document.position([], 'value')).toEqual({ line: 1, column: 1 });
  });

  it('of what an alias stands for are where it is written, once', () => {
    const text = soundFile({ application: 'health: &h { every: 5x }\nroutes: [{ path: / }]' });
    const twice = `${text}  two: { routes: [{ path: /two }], health: *h, targets: { here: } }\n`;
    expect(faultsOf(twice)).toEqual([
      expect.stringMatching(/^7:25 error applications\.shop\.health\.every: not a duration/),
    ]);
  });

  it('count CRLF lines as one', () => {
    expect(faultsOf(soundFile({ application: 'comand: x' }).replaceAll('\n', '\r\n'))).toEqual([
      expect.stringMatching(/^7:5 error applications\.shop\.comand/),
    ]);
  });
});
