import type { ZodType } from 'zod';
import { platformError } from '../../../src/core/errors.ts';
import { decodeAnswer } from '../../../src/lib/decode-answer.ts';

/** What hands out tokens must answer as such. */
export function decodeToken<T>(schema: ZodType<T>, json: unknown, platform: string, where: string): T {
  return decodeAnswer(schema, json, (why) =>
    platformError('unsupported', platform, 'the login answers in another way than OpenShift', {
      why: `${where}: ${why}`,
      remedy: 'use a token of a service account: `oc create token`',
    }),
  );
}
