import { concerns, type OperatorAct, stoppedBy } from '../core/acts.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Engine } from '../engine/engine.ts';
import type { Monitor } from '../health/monitor.ts';
import type { OrchestratorDeps } from '../orchestrator/deps.ts';
import type { IntentRecords } from '../orchestrator/intent-records.ts';
import { createIntentExecutor, type IntentExecutor } from '../orchestrator/intents.ts';
import { commandRunner } from '../orchestrator/run-command.ts';
import type { AutomationDeps } from './automation-deps.ts';
import { leaseIdentity } from './orchestration.ts';

export interface IntentExecutionDeps extends AutomationDeps {
  readonly monitor: Monitor;
  readonly records: IntentRecords;
}

/** Decisions' intents, carried out by this controller. */
export function executeIntents({ monitor, ...deps }: IntentExecutionDeps): IntentExecutor {
  const executor = createIntentExecutor({
    ...deps,
    observe: (application, platform) => monitor.observeNow(application, platform),
    identity: leaseIdentity('sluice serve'),
    runCommand: commandRunner(deps.clock),
    env: withoutOurs(process.env),
  });
  deps.engine.onIntents(({ application, intents }) => executor.want(application, intents));
  return executor;
}

/** What deployments must know of decisions. */
export function deploymentLimits(
  engine: Engine,
  executor: () => IntentExecutor,
  ordered: () => readonly OperatorAct[],
): Required<Pick<OrchestratorDeps, 'frozen' | 'scaledTo' | 'paused' | 'down'>> {
  return {
    paused(application, platforms) {
      const { frozen, platforms: all = [] } = engine.statusOf(application) ?? {};
      if (frozen !== undefined) return `automation is frozen: ${frozen.why}`;
      const hold = ordered().find((act) => act.kind === 'hold' && concerns(act, application));
      if (hold !== undefined) return `${hold.who} holds automation: ${hold.reason || 'no reason given'}`;
      // What is stopped is down on purpose, until the deployment starts it.
      const down = all.find(
        ({ name, verdict }) =>
          platforms.includes(name) &&
          verdict.state === 'down' &&
          stoppedBy(ordered(), application, name) === undefined,
      );
      return down === undefined ? undefined : `${down.name} is down: ${down.verdict.cause}`;
    },
    down(application) {
      const { platforms = [] } = engine.statusOf(application) ?? {};
      return platforms.flatMap(({ name, verdict }) => (verdict.state === 'down' ? [name] : []));
    },
    frozen(application, platform) {
      const found = engine
        .decision(application)
        ?.intents?.find((one) => one.kind === 'freeze-deployments' && one.platform === platform);
      return found?.kind === 'freeze-deployments' ? found.reason : undefined;
    },
    scaledTo(application, platform) {
      const base = executor().sizeOf(application, platform);
      const ordered = executor().scaledTo(application, platform);
      const desired = desiredOn(engine, application, platform);
      if (ordered === undefined || desired === undefined) return base;
      // Somebody may have shrunk it on the platform since.
      return Math.max(Math.min(ordered, desired), base);
    },
  };
}

function desiredOn(engine: Engine, application: ApplicationName, platform: PlatformName): number | undefined {
  const { platforms = [] } = engine.statusOf(application) ?? {};
  return platforms.find(({ name }) => name === platform)?.instances?.desired;
}

/** A command of the user's is no process of ours. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('SLUICE_') && !name.startsWith('NODE_CHANNEL_')),
  );
}
