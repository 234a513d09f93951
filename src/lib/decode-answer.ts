import type { ZodType } from 'zod';
import type { SluiceError } from '../core/errors.ts';

/**
 * A remote answer in the shape we know, or the error that `refuse` makes of the first place where it differs:
 * `spec.replicas: Invalid input: expected number`. That names places and types, never values: they may be secret.
 */
export function decodeAnswer<T>(schema: ZodType<T>, json: unknown, refuse: (why: string) => SluiceError): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(`${issue?.path.join('.') || 'the answer'}: ${issue?.message ?? 'not understood'}`);
}
