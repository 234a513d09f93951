import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { platformError } from '../../src/core/errors.ts';
import { decodeAnswer } from '../../src/lib/decode-answer.ts';

const schema = z.object({ spec: z.object({ replicas: z.number(), kind: z.enum(['a', 'b']) }) });

function decode(json: unknown) {
  return decodeAnswer(schema, json, (why) => platformError('unsupported', 'ocp', 'not understood', { why }));
}

function refusal(json: unknown): string {
  try {
    decode(json);
  } catch (error) {
    return JSON.stringify(error);
  }
  return '';
}

describe('decoding an answer', () => {
  it('gives what the schema knows and drops the rest', () => {
    expect(decode({ spec: { replicas: 2, kind: 'a', more: 1 } })).toEqual({
      spec: { replicas: 2, kind: 'a' },
    });
  });

  it('names the place and the type, and not the value, for it may be secret', () => {
    const said = refusal({ spec: { replicas: 'hunter2-hunter2', kind: 'hunter3-hunter3' } });
    expect(said).toContain('spec.replicas: ');
    expect(said).not.toContain('hunter');
    expect(refusal({ spec: { replicas: 1, kind: 'hunter3-hunter3' } })).not.toContain('hunter');
  });

  it('speaks of the answer as such where there is no JSON', () => {
    expect(refusal(undefined)).toContain('the answer: ');
  });
});
