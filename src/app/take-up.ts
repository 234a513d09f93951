import type { Control } from '../core/control.ts';
import type { DeploymentRecord } from '../core/deployment.ts';
import { isTerminal } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { Clock, EventLog, Logger } from '../core/ports.ts';
import type { Orchestrator } from '../orchestrator/orchestrator.ts';

const TRY_AGAIN_MS = 2_000;
/** One that broke off longer ago is history: going on with it today would surprise everybody. */
const FRESH_MS = 15 * 60_000;

export interface TakeUpDeps {
  readonly orchestrator: Pick<Orchestrator, 'deployments' | 'abandon'>;
  readonly control: Pick<Control, 'resume'>;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stop: AbortSignal;
}

/** A controller died in the middle of deployments: the next one goes on with them, and nobody who follows has to act. */
export async function takeUpDeployments(deps: TakeUpDeps): Promise<void> {
  try {
    const open = (await deps.orchestrator.deployments()).filter(isLeftByServer);
    await Promise.all(open.map((record) => takeUp(record, deps)));
  } catch (error) {
    if (!deps.stop.aborted)
      deps.logger.warn({ error: String(error) }, 'broken-off deployments could not be taken up');
  }
}

function isLeftByServer(record: DeploymentRecord): boolean {
  return record.by === 'server' && record.outcome === undefined;
}

async function takeUp(record: DeploymentRecord, deps: TakeUpDeps): Promise<void> {
  const { orchestrator, control, clock, logger, stop } = deps;
  if (clock.now() - record.startedAt > FRESH_MS) return orchestrator.abandon(record.id);
  tell(record, deps, 'the controller was replaced; the new one goes on');
  while (!stop.aborted) {
    try {
      await control.resume(record.id);
      return;
    } catch (caught) {
      const error = SluiceError.from(caught);
      if (error.code !== 'LOCK_HELD') {
        logger.warn({ deployment: record.id, why: error.message }, 'a deployment cannot go on');
        tell(record, deps, `it cannot go on: ${error.message}`);
        return orchestrator.abandon(record.id);
      }
    }
    // Whoever holds the lease may be the one who goes on with it.
    await clock.sleep(TRY_AGAIN_MS, stop);
    const now = (await orchestrator.deployments()).find((one) => one.id === record.id);
    if (now?.outcome !== undefined) return;
  }
}

function tell(record: DeploymentRecord, { events, clock }: TakeUpDeps, message: string): void {
  for (const [platform, { phase }] of Object.entries(record.targets)) {
    if (isTerminal(phase)) continue;
    const elapsedMs = clock.now() - record.startedAt;
    const { id: deployment, application } = record;
    events.append({
      type: 'deployment.progress',
      deployment,
      application,
      platform,
      phase,
      message,
      elapsedMs,
    });
  }
}
