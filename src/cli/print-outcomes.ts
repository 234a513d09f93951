import { ERROR_CODES, fromWire } from '../core/errors.ts';
import type { Outcome, Outcomes } from '../core/operations.ts';
import type { CliIo } from './io.ts';
import type { CommonOptions } from './options.ts';
import { formatError } from './print-error.ts';

/** One line for each platform; the status is 3 when some failed, and that of the failure when all did. */
export function printOutcomes(
  outcomes: Outcomes,
  { json }: CommonOptions,
  io: CliIo,
  describe: (outcome: Outcome) => string,
): void {
  const all = Object.entries(outcomes);
  const failures = all.flatMap(([, { error }]) => error ?? []);
  for (const [platform, outcome] of all) {
    if (json) io.stdout(`${JSON.stringify({ platform, ...outcome })}\n`);
    else if (outcome.error) io.stderr(formatError(outcome.error));
    else io.stdout(`${platform}: ${describe(outcome)}\n`);
  }
  const [first] = failures;
  if (first === undefined) return;
  io.exit(failures.length === all.length ? fromWire(first).exitStatus : ERROR_CODES.PARTLY_DONE.exit);
}
