import { createProbe } from '../health/probes.ts';
import { systemClock } from '../lib/clock.ts';
import type { ReleaseProbe } from '../orchestrator/context.ts';

const probe = createProbe({ clock: systemClock });

/** The proof of a release is the same probe that will judge it later. */
export const releaseProbe: ReleaseProbe = async (origin, health) => {
  const { ok, detail, release } = await probe(origin, health);
  return { ok, detail, ...(release === undefined ? {} : { release }) };
};
