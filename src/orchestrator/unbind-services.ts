import { SluiceError } from '../core/errors.ts';
import { leftServices } from '../core/services.ts';
import type { TargetRun } from './target-run.ts';

const DEADLINE_MS = 15 * 60_000;

/**
 * Once only this release is left, it holds nothing of services that were taken out of the configuration. What was made
 * stays, for it holds data. A failure does not fail the deployment: the next one tries again.
 */
export async function unbindServices(run: TargetRun): Promise<void> {
  const { want } = run.job;
  const { services: power } = run.provider;
  if (power === undefined || !run.context.mayWrite()) return;
  const unbind = power.unbind?.bind(power);
  try {
    if (unbind !== undefined) {
      await run.perform({
        ...{ kind: 'services', key: 'unbind', deadlineMs: DEADLINE_MS, evenIfStopped: true },
        begin: (_provider, context) => unbind(context, want),
      });
    }
  } catch (caught) {
    const error = SluiceError.from(caught);
    const why = [error.message, error.details.why].filter(Boolean).join(': ');
    run.report('draining', `services could not be unbound (${why}); the release is not affected`);
    return;
  }
  // That it cannot be told what is left is no trouble of the release: the next plan tries again.
  const made = await power.made(run.providerContext, want.application).catch(() => []);
  for (const { what } of leftServices(made, want.services)) {
    run.report('draining', `${what} stays and is used no more: sluice destroy --services removes it`);
  }
}
