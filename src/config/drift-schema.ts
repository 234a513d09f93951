import { z } from 'zod';
import { DEFAULT_DRIFT, type DriftSettings } from '../core/drift.ts';
import { checkedText, choice, described, duration } from './fields.ts';

const MODES = ['report', 'heal', 'off'] as const;

const MODE = {
  says: 'report: what differs is said. heal: it is put back to the release and configuration that were deployed, at most three times an hour. off: nobody looks.',
  otherwise: 'report',
};

const FIELD = '^(instances|memory|command|health|startTimeout|routes|env\\.(\\*|[A-Za-z_][A-Za-z0-9_]*))$';
const SEEDED = '^(instances|env\\.(\\*|[A-Za-z_][A-Za-z0-9_]*))$';

function fields(says: string, pattern: string, remedy: string) {
  return z
    .array(
      checkedText({ says: 'A field as `sluice plan` calls it.' }, pattern, (given) =>
        new RegExp(pattern).test(given) ? undefined : { fault: 'not a field that this is said of', remedy },
      ),
    )
    .meta(described({ says }));
}

/** `applications.NAME.drift`. */
export const driftSchema = z
  .union([
    choice(MODE, MODES),
    z.strictObject({
      mode: choice(MODE, MODES).optional(),
      every: duration(
        { says: 'Between two comparisons of a platform that is as it should be.', otherwise: '30s' },
        { min: 1_000, max: 86_400_000 },
      ).optional(),
      ignore: fields(
        'Fields that somebody else keeps, for example an autoscaler its `instances`: they are not compared, and `instances` and `env.NAME` are left as they are there.',
        FIELD,
        'instances, memory, command, health, startTimeout, routes, env.NAME or env.*',
      ).optional(),
      seed: fields(
        'Fields that are set once, where nothing is yet, and are the platform’s own from then on.',
        SEEDED,
        'instances, env.NAME or env.*',
      ).optional(),
    }),
  ])
  .meta({
    description: 'What is done about a platform that is no longer as it was deployed.',
    otherwise: 'report',
  });

export function assembleDrift(input: z.output<typeof driftSchema>): DriftSettings {
  const given = typeof input === 'string' ? { mode: input } : input;
  return {
    mode: given.mode ?? DEFAULT_DRIFT.mode,
    everyMs: given.every ?? DEFAULT_DRIFT.everyMs,
    ignore: given.ignore ?? [],
    seed: given.seed ?? [],
  };
}
