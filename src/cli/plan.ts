import type { Command } from 'commander';
import type { PlatformPlan } from '../core/deployment.ts';
import type { PlanChange } from '../core/provider.ts';
import { bundleWish } from './bundle-wish.ts';
import type { CliIo } from './io.ts';
import {
  type CommonOptions,
  chooseApplication,
  withConfiguration,
  withPlatforms,
  withServer,
} from './options.ts';
import { formatPlan } from './plan-text.ts';
import { formatError } from './print-error.ts';
import { openSession } from './session.ts';
import { readSettings } from './settings.ts';

const CHANGES_FOUND = 10;

export function planCommand(program: Command, io: CliIo): void {
  const command = program
    .command('plan')
    .description('what `deploy` would change, platform by platform; writes nothing')
    .option('--exit-code', `exit with ${CHANGES_FOUND} when there are changes`);
  withServer(withPlatforms(withConfiguration(command))).action(
    async (options: CommonOptions & { readonly exitCode?: boolean }) => {
      const settings = readSettings(io, options.file);
      const application = chooseApplication(settings, options.app);
      const wish = await bundleWish(application, options.on);
      const session = await openSession(settings, options, io);
      try {
        const plans = await session.control.plan(wish);
        for (const plan of plans) print(plan, io, options.json ?? false);
        io.exit(statusOf(plans, options.exitCode ?? false));
      } finally {
        await session.close();
      }
    },
  );
}

function statusOf(plans: readonly PlatformPlan[], tellChanges: boolean): number {
  const hopeless = plans.filter((plan) => plan.error || plan.checks.some((check) => check.error)).length;
  if (hopeless > 0) return hopeless === plans.length ? 1 : 3;
  const changes = plans.some((plan) => plan.changes.some(isChange));
  return tellChanges && changes ? CHANGES_FOUND : 0;
}

function isChange(change: PlanChange): boolean {
  return change.action === 'create' || change.action === 'change';
}

function print(plan: PlatformPlan, io: CliIo, json: boolean): void {
  if (json) io.stdout(`${JSON.stringify(plan)}\n`);
  else if (plan.error) io.stderr(formatError(plan.error));
  else io.stdout(formatPlan(plan));
}
