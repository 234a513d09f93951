import type { Attribution } from '../core/attribution.ts';
import type { Decision } from '../core/decision.ts';
import type { DomainEvent } from '../core/events.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';

/** Faults that came and faults that went, between two evaluations. */
export function faultEvents(
  application: ApplicationName,
  before: readonly Attribution[],
  after: readonly Attribution[],
): readonly DomainEvent[] {
  const came = after.filter((one) => !before.some((other) => sameFault(one, other)));
  const went = before.filter((one) => !after.some((other) => sameFault(one, other)));
  return [
    ...came.map(
      ({ culprit, platforms, summary, evidence, remedy }): DomainEvent => ({
        type: 'fault.attributed',
        application,
        culprit,
        platforms,
        summary,
        evidence,
        remedy,
      }),
    ),
    ...went.map(
      ({ culprit, platforms }): DomainEvent => ({ type: 'fault.over', application, culprit, platforms }),
    ),
  ];
}

function sameFault(a: Attribution, b: Attribution): boolean {
  return a.culprit === b.culprit && a.platforms.join() === b.platforms.join();
}

/** What was not wanted a moment ago. */
export function intentEvents(
  application: ApplicationName,
  before: readonly Intent[],
  after: readonly Intent[],
): readonly DomainEvent[] {
  const known = new Set(before.map(keyOf));
  return after
    .filter((intent) => !known.has(keyOf(intent)))
    .map((intent) => ({ type: 'intent.raised', application, intent }));
}

/** When what requests meet changed. */
export function sheddingEvents(before: Decision | undefined, after: Decision): readonly DomainEvent[] {
  const { application, shed = 0, shedBy = [] } = after;
  const isSame = shed === (before?.shed ?? 0) && shedBy === (before?.shedBy ?? shedBy);
  return isSame ? [] : [{ type: 'shedding.changed', application, part: shed, by: shedBy }];
}

/** Reasons change with every figure in them; the wish stays the same. */
function keyOf(intent: Intent): string {
  return JSON.stringify({ ...intent, reason: undefined });
}
