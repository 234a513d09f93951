import type { StagedArtifact, TargetSpec } from '../core/provider.ts';
import type { TargetRun } from './target-run.ts';

const DEADLINE_MS = 10 * 60_000;

/**
 * Workers and the like follow once web serves the release: until then those of the old one go on, and a release that
 * does not come up has touched none of them.
 */
export async function applyProcesses(
  { provider, providerContext, patience, enter, perform }: TargetRun,
  want: TargetSpec,
  artifact: StagedArtifact,
  key = 'processes',
): Promise<void> {
  const power = provider.processes;
  if (power === undefined) return;
  if (want.processes === undefined) {
    const seen = await patience.call(() => provider.observe(providerContext, want.application));
    if (seen.processes === undefined) return;
  }
  const names = (want.processes ?? []).map(({ name }) => name).join(', ');
  await enter('starting', names === '' ? 'removing processes that are not wanted any more' : names);
  await perform({
    ...{ kind: 'processes', key, deadlineMs: DEADLINE_MS, evenIfStopped: true },
    begin: (_provider, context) => power.apply(context, want, artifact),
  });
}
