import { type ChildProcess, fork } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import { SluiceError } from '../core/errors.ts';
import type { FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import type { Clock, Dispose, Logger } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { restartDelay } from './restart-delay.ts';

export interface SupervisorOptions {
  /** What to run as the controller: `main.js` and its arguments. */
  readonly main: string;
  readonly args: readonly string[];
  readonly gateway: GatewaySettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Listening {
  readonly ports: readonly number[];
  readonly adminPort: number;
}

/**
 * The node:cluster primary: forks a controller and the workers, relays their messages, replaces what dies. It has
 * no logic to die of: if it goes, everything goes.
 */
export interface Supervisor {
  /** Resolves when every worker listens and the controller answers; throws what one of them failed with. */
  start(): Promise<Listening>;
  /** Drains the workers within their deadline, then ends the controller. */
  close(): Promise<void>;
}

const FIRST_START_MS = 30_000;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { clock, logger, gateway } = options;
  const workers = new Map<number, Worker>();
  const timers = new Set<Dispose>();
  let controller: ChildProcess | undefined;
  let controllerDeaths: number[] = [];
  let closing = false;
  /** What a new worker needs to serve although the controller is away. */
  let lastTable: ToWorker | undefined;
  let started: { resolve(value: Listening): void; reject(error: Error): void } | undefined;
  let ports: readonly number[] | undefined;
  let adminPort: number | undefined;
  const listening = new Set<number>();

  function startController(): void {
    // A new controller must be found where the last one was, also when the port was any free one.
    const sameDoor = adminPort === undefined ? {} : { SLUICE_ADMIN_PORT: String(adminPort) };
    controller = fork(options.main, [...options.args], {
      env: { ...options.env, ...sameDoor, SLUICE_ROLE: 'controller' } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const child = controller;
    child.on('message', (message) => fromController(message as ToWorker | ToSupervisor));
    child.on('error', (error) => logger.error({ err: error.message }, 'the controller cannot be reached'));
    child.on('exit', (code, signal) => {
      if (closing || child !== controller) return;
      controller = undefined;
      controllerDeaths = [...controllerDeaths, clock.monotonic()];
      const wait = restartDelay(controllerDeaths, clock.monotonic());
      logger.warn(
        { code, signal, restartInMs: wait },
        'the controller ended; the workers serve the last table',
      );
      later(wait, startController);
    });
    const tableVersion = lastTable?.type === 'table' ? lastTable.table.version : 0;
    for (const worker of listening) tellController({ to: 'controller', type: 'ready', worker, tableVersion });
  }

  function startWorker(index: number): void {
    const worker = cluster.fork(workerEnv(options.env, index));
    workers.set(index, worker);
    worker.on('message', (message) => fromWorker(index, message as FromWorker | ToSupervisor));
    worker.on('error', (error) =>
      logger.error({ worker: index, err: error.message }, 'a worker cannot be reached'),
    );
    worker.on('exit', (code, signal) => {
      if (closing || workers.get(index) !== worker) return;
      listening.delete(index);
      tellController({ to: 'controller', type: 'gone', worker: index });
      logger.warn({ worker: index, code, signal }, 'a worker ended; starting another');
      later(100, () => startWorker(index));
    });
  }

  /** node:cluster drops what is sent before the worker's own program listens, so it says when it does. */
  function equip(worker: Worker): void {
    // Tokens of the admin API are no business of the data path.
    const settings: GatewaySettings = { ...gateway, admin: { ...gateway.admin, tokens: {} } };
    tell(worker, { to: 'worker', type: 'settings', settings });
    if (lastTable) tell(worker, lastTable);
  }

  function fromController(message: ToWorker | ToSupervisor): void {
    if (message.to === 'worker') {
      if (message.type === 'table') lastTable = message;
      for (const worker of workers.values()) tell(worker, message);
    } else if (message.type === 'controller-ready') {
      adminPort = message.adminPort;
      settle();
    } else if (message.type === 'failed')
      failStart(new SluiceError(message.code, message.message, message.details ?? {}));
  }

  function fromWorker(index: number, message: FromWorker | ToSupervisor): void {
    if (message.to === 'supervisor') {
      if (message.type === 'failed')
        failStart(new SluiceError(message.code, message.message, message.details ?? {}));
      const worker = workers.get(index);
      if (message.type === 'worker-hears' && worker) equip(worker);
      if (message.type === 'worker-listening') {
        ports = message.ports;
        listening.add(index);
        settle();
      }
      return;
    }
    tellController(message);
    if (message.type !== 'ejection') return;
    // The others must not find out one by one, and not wait for a controller that may be away.
    for (const [other, worker] of workers) {
      if (other !== index) tell(worker, { to: 'worker', type: 'ejection', ejection: message.ejection });
    }
  }

  function tellController(message: FromWorker): void {
    if (controller?.connected) controller.send(message, () => {});
  }

  function settle(): void {
    if (!ports || adminPort === undefined || listening.size < gateway.workers) return;
    started?.resolve({ ports, adminPort });
    started = undefined;
  }

  function failStart(error: SluiceError): void {
    if (!started) {
      logger.error({ code: error.code }, error.message);
      return;
    }
    started.reject(error);
    started = undefined;
  }

  function later(ms: number, run: () => void): void {
    const dispose = clock.after(ms, () => {
      timers.delete(dispose);
      if (!closing) run();
    });
    timers.add(dispose);
  }

  return {
    start() {
      cluster.schedulingPolicy = cluster.SCHED_NONE;
      const ready = new Promise<Listening>((resolve, reject) => {
        started = { resolve, reject };
      });
      later(FIRST_START_MS, () =>
        failStart(
          new SluiceError('NOT_HEALTHY', `the gateway did not start within ${FIRST_START_MS / 1000} s`),
        ),
      );
      startController();
      for (let index = 0; index < gateway.workers; index++) startWorker(index);
      return ready;
    },
    async close() {
      if (closing) return;
      closing = true;
      for (const dispose of timers) dispose();
      const deadlineMs = gateway.timeouts.drainMs;
      const drained = [...workers.values()].map((worker) => {
        tell(worker, { to: 'worker', type: 'stop', deadlineMs });
        return ended(worker.process, deadlineMs + 1_000, clock);
      });
      await Promise.all(drained);
      // Last: while requests drain, somebody must still answer /readyz and take events.
      if (controller) {
        const gone = ended(controller, 3_000, clock);
        controller.kill('SIGTERM');
        await gone;
      }
    },
  };
}

function tell(worker: Worker, message: ToWorker): void {
  // A worker that died a moment ago is replaced anyway.
  if (worker.isConnected()) worker.send(message, () => {});
}

/** SIGKILL when the time is over: an exchange that never ends must not keep the machine from shutting down. */
function ended(child: ChildProcess, withinMs: number, clock: Clock): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    const dispose = clock.after(withinMs, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      dispose();
      done();
    });
  });
}

/** Workers get no platform credentials: everything but what Node itself needs is taken out of their environment. */
function workerEnv(
  env: Readonly<Record<string, string | undefined>>,
  index: number,
): Record<string, string | undefined> {
  const kept = new Set(['PATH', 'HOME', 'LANG', 'TZ', 'NODE_OPTIONS', 'NODE_ENV', 'SLUICE_LOG']);
  const cleared: Record<string, string | undefined> = {};
  // `undefined` removes a variable that cluster would hand down otherwise.
  for (const name of Object.keys(env)) if (!kept.has(name)) cleared[name] = undefined;
  return { ...cleared, SLUICE_ROLE: 'worker', SLUICE_WORKER: String(index) };
}
