import type { TargetRun } from './target-run.ts';

/** A database takes its broker many minutes. */
const DEADLINE_MS = 35 * 60_000;

/** What the release works with is made and bound before any instance of it starts. */
export async function ensureServices({
  provider,
  job,
  checkpoint,
  report,
  perform,
}: TargetRun): Promise<void> {
  const { want } = job;
  const { services: power } = provider;
  if (power === undefined || want.services === undefined) return;
  checkpoint();
  report('staging', `services: ${want.services.map(({ name }) => name).join(', ')}`);
  // What has a broker told something when it is bound is bound by a second round: no handle may keep what it is told.
  const isTold = want.services.some(({ source }) => 'bind' in source && source.bind !== undefined);
  for (const key of isTold ? ['services', 'services:bind'] : ['services']) {
    await perform({
      ...{ kind: 'services', key, deadlineMs: DEADLINE_MS },
      begin: (_provider, context) => power.ensure(context, want),
    });
  }
}
