import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import type { Clock, Logger, Random, Runnable } from '../core/ports.ts';
import { createGuard } from './guard.ts';
import { createHappenings, type Happenings } from './host/happenings.ts';
import { createKeeper, type Keeper } from './host/keeper.ts';
import { lockFolder } from './host/lock.ts';
import { createReconciler } from './host/reconciler.ts';
import { createReleaseFolders } from './host/release-folders.ts';
import { hostRoutes } from './host/routes.ts';
import { listenOnSocket } from './host/socket.ts';
import { type HostStore, openHostStore } from './host/state.ts';
import { createHostTasks, type HostTasks } from './host/tasks.ts';
import { createVolumeFolders } from './host/volumes.ts';
import { createKeepingRunner, type KeepingRunner } from './keeping-runner.ts';
import { createRunner } from './runner.ts';

const LAST_ANSWERS_MS = 2_000;

interface HostDeps {
  /** Path of the unix socket; made with mode 0600. */
  readonly socket: string;
  /** Releases, output and state; private to this daemon. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** `keep`: instances outlive the daemon and the next one adopts them. `kill`: they go with it, also by SIGKILL. */
  readonly onOwnerExit: 'kill' | 'keep';
  readonly logger: Logger;
}

/**
 * The daemon that owns the self-hosted instances of one machine. It serves an HTTP/JSON API on a unix socket and
 * outlives orchestrator and gateway.
 *
 * `start` fails with PORT_IN_USE when another daemon has the socket or the state folder. `close` answers what is
 * under way, then leaves the instances running (`keep`) or stops them (`kill`).
 */
export function createHost(deps: HostDeps): Runnable {
  const { logger } = deps;
  /** What was opened, to be closed in reverse. */
  let opened: (() => Promise<void>)[] = [];

  async function start(): Promise<void> {
    const keeps = deps.onOwnerExit === 'keep' && canAdopt(logger);
    opened.push(await lockFolder(join(deps.stateDir, 'host.lock')));
    const store = await openHostStore(join(deps.stateDir, 'host.json'));
    const runner = keeps ? keepingRunner(deps, store) : killingRunner(deps);
    opened.push(() => (keeps ? runner.leave() : runner.close()));
    const folders = createReleaseFolders(join(deps.stateDir, 'releases'));
    const reconciler = createReconciler({ ...deps, store, folders, runner, adopts: keeps });
    const happenings = createHappenings(runner.onChange, deps.clock);
    opened.push(async () => happenings.close());
    const keeper = createKeeper({ ...deps, store, folders, runner, reconciler });
    opened.push(async () => {
      await keeper.settled();
      await reconciler.close();
      await store.save();
    });
    const tasks = createHostTasks({
      ...{ clock: deps.clock, logger },
      root: join(deps.stateDir, 'tasks'),
      folderOf: (application, release) => folders.pathOf(application, release),
      guard: keeps ? undefined : createGuard(),
    });
    opened.push(() => tasks.close());
    // Listening comes before resuming: a daemon that is refused the socket must not have touched an instance.
    let resumed = (): void => undefined;
    const whenResumed = new Promise<void>((resolve) => {
      resumed = resolve;
    });
    const server = await listen(keeper, tasks, happenings, keeps, whenResumed);
    opened.push(() => closeServer(server, deps.clock));
    await reconciler.resume();
    await tasks.resume();
    resumed();
    logger.info({ socket: deps.socket, onOwnerExit: keeps ? 'keep' : 'kill' }, 'the host daemon listens');
  }

  async function listen(
    keeper: Keeper,
    tasks: HostTasks,
    happenings: Happenings,
    keeps: boolean,
    resumed: Promise<void>,
  ): Promise<Server> {
    const volumes = createVolumeFolders(join(deps.stateDir, 'volumes'));
    const answer = hostRoutes(
      keeper,
      tasks,
      volumes,
      happenings,
      { onOwnerExit: keeps ? 'keep' : 'kill' },
      logger,
    );
    const server = createServer((request, response) => {
      void resumed.then(() => answer(request, response));
    });
    await listenOnSocket(server, deps.socket);
    return server;
  }

  async function close(): Promise<void> {
    const closing = opened.reverse();
    opened = [];
    for (const one of closing) await one();
  }

  return {
    name: 'host',
    close,
    async start() {
      try {
        await start();
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

function keepingRunner(deps: HostDeps, store: HostStore): KeepingRunner {
  return createKeepingRunner({
    clock: deps.clock,
    random: deps.random,
    spoolDir: join(deps.stateDir, 'output'),
    async record(id, port, identity) {
      const [application = '', release = ''] = id.split('/');
      const record = store.state.applications[application]?.[release]?.processes[id];
      // Retired meanwhile: nobody would ever find the process again.
      if (record === undefined) throw new Error('the instance is no longer wanted');
      record.port = port;
      record.pid = identity.pid;
      if (identity.startTicks !== undefined) record.startTicks = identity.startTicks;
      await store.save();
    },
  });
}

function killingRunner(deps: HostDeps): KeepingRunner {
  const runner = createRunner({ clock: deps.clock, random: deps.random });
  return {
    ...runner,
    leave: () => runner.close(),
    adopt: () =>
      Promise.reject(new SluiceError('BUG', 'instances that die with their owner are not adopted')),
  };
}

/** Without /proc nobody can tell an instance from a stranger that got its pid. */
function canAdopt(logger: Logger): boolean {
  if (existsSync('/proc/self/stat')) return true;
  logger.warn({}, 'this system has no /proc: instances end with the daemon instead of outliving it');
  return false;
}

/** Answers what is under way, but not for longer than a moment: uploads are repeatable. */
async function closeServer(server: Server, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const dispose = clock.after(LAST_ANSWERS_MS, () => server.closeAllConnections());
  await closed;
  dispose();
}
