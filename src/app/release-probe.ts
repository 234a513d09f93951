import type { Probe } from '../health/probes.ts';
import type { ReleaseProbe } from '../orchestrator/context.ts';

/** The proof of a release is the same probe that will judge it later. */
export function createReleaseProbe(probe: Probe): ReleaseProbe {
  return async function releaseProbe(origin, health) {
    const { ok, detail, release } = await probe(origin, health);
    return { ok, detail, ...(release === undefined ? {} : { release }) };
  };
}
