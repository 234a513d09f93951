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
  await perform({
    ...{ kind: 'services', deadlineMs: DEADLINE_MS },
    begin: (_provider, context) => power.ensure(context, want),
  });
}
