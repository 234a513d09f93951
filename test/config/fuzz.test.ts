// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadText } from './support.ts';

const EXAMPLE = readFileSync('config/examples/three-platforms.yaml', 'utf8');
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  '- ',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: *a',
  '${',
  '${X}',
  '$$',
  '\n',
  '\t',
  '  ',
  '#',
  '|',
  '>',
  'null',
  '~',
  '-1',
  '1e999',
  '.nan',
  '!!set ',
  '\u0000',
  '\u2028',
  'x-',
  '__proto__: 1',
  '? ',
];

describe('any text', () => {
  it('gives settings or errors with a place inside it, and never throws', () => {
    const edits = fc.array(
      fc.tuple(
        fc.nat(EXAMPLE.length),
        fc.nat(12),
        fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })),
      ),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(edits, (all) => {
        let text = EXAMPLE;
        for (const [at, drop, put] of all) text = text.slice(0, at) + put + text.slice(at + drop);
        const { settings, diagnostics } = loadText(text, {
          env: {
            X: 'some-secret',
            CF_USER: 'a',
            CF_PASSWORD: 'b',
            DB_URL: 'c',
            SLUICE_CI_TOKEN: 'd'.repeat(9),
          },
          files: { '/run/secrets/ocp': 'e' },
        });
        const errors = diagnostics.filter((one) => one.severity === 'error');
        expect(settings === undefined).toBe(errors.length > 0);
        const lines = text.split('\n').length;
        for (const one of diagnostics) {
          expect(one.line).toBeGreaterThanOrEqual(1);
          expect(one.line).toBeLessThanOrEqual(lines + 1);
          expect(one.remedy).not.toBe('');
          expect(one.summary).not.toContain('some-secret');
        }
      }),
      { numRuns: 300 },
    );
  });
});
