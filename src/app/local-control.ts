import type { Control, Destroyed, WireWish } from '../core/control.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { Logger, StateStore } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { bundleStore } from '../orchestrator/bundle-store.ts';
import { configurationDigest } from '../orchestrator/configuration-digest.ts';
import { breakLockOf, locksIn } from '../orchestrator/locks.ts';
import type { DeployWish, Orchestrator, StartedDeployment } from '../orchestrator/orchestrator.ts';
import { applicationNamed } from '../orchestrator/scope.ts';
import { uniqueId } from './orchestration.ts';

export interface LocalControl extends Control {
  /** Resolves when nothing it began is under way any more. */
  settled(): Promise<void>;
}

/** `Control` over an orchestrator in this process. `stop` ends deployments at their next step. */
export async function localControl(
  settings: Settings,
  orchestrator: Orchestrator,
  store: StateStore,
  logger: Logger,
  stop: AbortSignal,
): Promise<LocalControl> {
  const bundles = await bundleStore(store, uniqueId);
  const running = new Set<Promise<unknown>>();

  async function wishOf(wish: WireWish): Promise<DeployWish> {
    const { application, platforms } = wish;
    checkConfiguration(settings, wish);
    const bundle = wish.archive && (await bundles.keep(wish.archive, wish.digest));
    const { commit } = wish;
    return { application, platforms, bundle, ...(commit === undefined ? {} : { commit }) };
  }

  function begun(started: StartedDeployment): Pick<StartedDeployment, 'id' | 'release'> {
    const finished = started.finished.catch((error: unknown) =>
      logger.error({ deployment: started.id, err: String(error) }, 'a deployment broke off'),
    );
    running.add(finished);
    void finished.then(() => running.delete(finished));
    return { id: started.id, release: started.release };
  }

  return {
    deploy: async (wish) => begun(await orchestrator.deploy(await wishOf(wish), stop)),
    resume: async (id) => begun(await orchestrator.resume(id, stop)),
    rollback: async (wish) => begun(await orchestrator.rollback(wish, stop)),
    locks: () => locksIn(store),
    breakLock: (application) => breakLockOf(store, applicationNamed(settings, application).name),
    plan: async (wish) => orchestrator.plan(await wishOf(wish)),
    async destroy(wish) {
      const results: Record<string, Destroyed> = {};
      for (const [platform, { error, left }] of await orchestrator.destroy(wish)) {
        results[platform] = { error: error === undefined ? null : toWire(error), left };
      }
      return results;
    },
    releases: (application) => orchestrator.releases(application),
    deployments: () => orchestrator.deployments(),
    async run(wish) {
      const { finished, ...started } = await orchestrator.runs.byHand(wish, stop);
      // How it ended is an event and on record.
      const ended = finished.catch(() => undefined);
      running.add(ended);
      void ended.then(() => running.delete(ended));
      return started;
    },
    tasks: () => orchestrator.runs.list(),
    cancelRun: (run) => orchestrator.runs.cancel(run),
    settleRun: (run, as) => orchestrator.runs.settle(run, as),
    async settled() {
      await Promise.all(running);
    },
  };
}

/** A deployment by another configuration than the person wrote would succeed and not do what they meant. */
function checkConfiguration(settings: Settings, wish: WireWish): void {
  const application = settings.applications[wish.application];
  if (wish.configuration === undefined || application === undefined) return;
  if (configurationDigest(application) === wish.configuration) return;
  throw new SluiceError(
    'SERVER_REFUSED',
    `the server has another configuration of ${application.name} than you`,
    {
      where: settings.file ?? 'the server',
      why: 'it would deploy with its own: command, environment, health, routes or targets differ',
      remedy:
        'put your file where the server reads its own: it takes the change; until then it goes on serving what is live',
    },
  );
}
