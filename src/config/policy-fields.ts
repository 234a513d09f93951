import { z } from 'zod';
import type { RuleAct } from '../core/policy-settings.ts';
import type { Predicate } from '../core/predicate.ts';
import type { Window } from '../core/window.ts';
import { once, recurring } from '../lib/cron-window.ts';
import { compileCel } from './cel.ts';
import { choice, described, duration, ratio, text } from './fields.ts';

/** A condition in CEL over `target`, `targets` and `app`; docs/policies.md lists their fields. */
export function condition(notes: { readonly says: string }) {
  return z
    .string()
    .transform((given, context): Predicate => {
      const compiled = compileCel(given);
      if (compiled.ok) return compiled.predicate;
      const remedy = 'docs/policies.md lists what conditions may name';
      context.addIssue({ code: 'custom', message: `not a condition: ${compiled.fault}`, params: { remedy } });
      return z.NEVER;
    })
    .meta({ type: 'string', ...described(notes) });
}

const recurringSchema = z.strictObject({
  cron: text({ says: 'When it opens: minute, hour, day, month, weekday.' }),
  for: duration({ says: 'How long it stays open.' }, { min: 1_000 }),
  timezone: text({ says: 'IANA name.', otherwise: 'UTC' }).optional(),
});

const onceSchema = z.strictObject({
  from: text({ says: 'With offset: 2026-11-27T00:00:00+01:00.' }),
  to: text({ says: 'As `from`.' }),
});

/** `{ cron, for, timezone }` comes back, `{ from, to }` is open once. */
export const windowFields = { recurring: recurringSchema.shape, once: onceSchema.shape };

export type WindowInput = z.output<typeof recurringSchema> | z.output<typeof onceSchema>;

/** The window, with an issue at its own key when there is none. */
export function windowOf(given: WindowInput, context: z.RefinementCtx): Window {
  if ('cron' in given) {
    const made = recurring({ cron: given.cron, durationMs: given.for, timeZone: given.timezone ?? 'UTC' });
    if (made.ok) return made.value;
    const path = made.fault.includes('zone') ? ['timezone'] : ['cron'];
    context.addIssue({ code: 'custom', path, message: made.fault, params: { remedy: made.remedy } });
    return z.NEVER;
  }
  const from = momentOf(given.from, 'from', context);
  const to = momentOf(given.to, 'to', context);
  if (from !== undefined && to !== undefined && to <= from) {
    const params = { remedy: 'let it end after it began' };
    context.addIssue({ code: 'custom', path: ['to'], message: 'before `from`', params });
  }
  return once(from ?? 0, to ?? 0, `${given.from} to ${given.to}`);
}

function momentOf(given: string, key: string, context: z.RefinementCtx): number | undefined {
  const ms = /(Z|[+-]\d{2}:\d{2})$/.test(given) ? Date.parse(given) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  const params = { remedy: 'date, time and offset: 2026-11-27T00:00:00+01:00' };
  context.addIssue({ code: 'custom', path: [key], message: 'not a moment', params });
  return undefined;
}

/** What a rule does: a word, or a word with its parameters. */
export const ruleAct = z
  .union([
    choice({ says: 'Take its traffic away; let the others grow.' }, ['drain', 'scale']).transform(
      (kind): RuleAct => ({ kind }),
    ),
    z
      .strictObject({
        shift: ratio({ says: 'Part of its share that goes elsewhere, at each step.' }),
        every: duration({ says: 'One step each; left out: one step in all.' }).optional(),
      })
      .transform(({ shift, every }): RuleAct => ({ kind: 'shift', by: shift, everyMs: every ?? 0 })),
    z
      .strictObject({ notify: text({ says: 'What to tell.' }) })
      .transform(({ notify }): RuleAct => ({ kind: 'notify', text: notify })),
    z
      .strictObject({ propose: choice({ says: 'What a person is asked to do.' }, ['drain', 'rollback']) })
      .transform(({ propose }): RuleAct => ({ kind: 'propose', what: propose })),
  ])
  .meta({ description: 'drain, scale, { shift, every }, { notify } or { propose }.' });
