import type { LoggedEvent } from '../core/events.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { Explanation } from '../core/status.ts';

/**
 * What was decided for an application before `at` (epoch milliseconds), from the events; undefined when they do not
 * reach back so far. Between two decisions the earlier one stood.
 */
export function explainPast(
  events: readonly LoggedEvent[],
  application: ApplicationName,
  at: number,
): Explanation | undefined {
  const made = events.findLast(
    (event) => event.type === 'decision.made' && event.application === application && event.at <= at,
  );
  if (made?.type !== 'decision.made') return undefined;
  const { shares, summary, proof, reasons } = made;
  return {
    application,
    at: made.at,
    shares,
    summary: summary ?? reasons.join('; '),
    steps: proof ?? [],
  };
}
