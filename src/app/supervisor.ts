import { type ChildProcess, fork } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { SluiceError } from '../core/errors.ts';
import type {
  ConfigurationFiles,
  FromSupervisor,
  FromWorker,
  ToSupervisor,
  ToWorker,
} from '../core/messages.ts';
import type { Clock, Dispose, Logger } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { ended, tell } from './children.ts';
import { createEjectionsInForce } from './ejections-in-force.ts';
import { exitReason } from './exit-reason.ts';
import { type RestartBackoff, restartBackoff } from './restart-delay.ts';
import { gatewayRevision } from './revision.ts';
import { carriedOver, pinned, workerEnvironment, workerSettings } from './worker-scope.ts';

export interface SupervisorOptions {
  /** What to run as the controller: `main.js` and its arguments. */
  readonly main: string;
  readonly args: readonly string[];
  /** What to begin with; the controller sends others when the configuration changes. */
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
  /** The configuration is to be read again, and access logs to be opened anew. */
  reload(): void;
  /** /readyz turns first; after a moment the workers drain within their deadline, then the controller ends. */
  close(): Promise<void>;
}

const FIRST_START_MS = 30_000;
/** Of V8 and Node, for the data path alone; each is there for what was measured with it. */
const WORKER_FLAGS = [
  // Little that a request needs outlives it: a small nursery costs half a per cent more time for a request, and a worker
  // with 10,000 idle clients takes 25 MB less.
  '--max-semi-space-size=4',
  // A request goes through many small functions. With V8's usual budget for merging them some stay calls; with this one
  // our own code takes a tenth less.
  '--max-inlined-bytecode-size-cumulative=4000',
  // Of Node: its own code in pages of 2 MB, where the system lends them. It is spread over three hundred pages of 4 KB
  // otherwise, and finding those again costs each request time (docs/adr/0021).
  '--use-largepages=silent',
];
const CONTROLLER_STOP_MS = 5_000;
/** Behind its deadline: a worker says goodbye to upgraded connections, and writes its log. */
const LAST_WORDS_MS = 2_000;
const TICKET_KEY_BYTES = 48;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { clock, logger } = options;
  let { gateway } = options;
  let revision = gatewayRevision(gateway);
  /** A client may come back to another worker, and to the successor of one that died. */
  const ticketKeys = randomBytes(TICKET_KEY_BYTES).toString('base64');
  const workers = new Map<number, Worker>();
  const workerBackoffs = new Map<number, RestartBackoff>();
  const controllerBackoff = restartBackoff(clock);
  const timers = new Set<Dispose>();
  /** No longer wanted: they drain, and nobody takes their place. */
  const leaving = new Set<Worker>();
  const ejections = createEjectionsInForce();
  let controller: ChildProcess | undefined;
  /** About to close: /readyz says so, and all goes on as before for a moment. */
  let stopping = false;
  let closing = false;
  /** What a new worker needs to serve although the controller is away. */
  let lastTable: ToWorker | undefined;
  /** What the next controller needs when it finds a configuration that is no good. */
  let lastGood: ConfigurationFiles | undefined;
  let started: { resolve(value: Listening): void; reject(error: Error): void } | undefined;
  let listen = gateway.listen;
  let ports: readonly number[] | undefined;
  let adminPort: number | undefined;
  const listening = new Set<number>();

  function startController(predecessor?: FromSupervisor): void {
    // A new controller must be found where the last one was, also when the port was any free one.
    const sameDoor = adminPort === undefined ? {} : { SLUICE_ADMIN_PORT: String(adminPort) };
    const child = fork(options.main, [...options.args], {
      env: { ...options.env, ...sameDoor, SLUICE_ROLE: 'controller' } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    controller = child;
    controllerBackoff.started();
    child.on('message', (message) => fromController(message as ToWorker | ToSupervisor));
    child.on('error', (error) => {
      logger.error({ err: error.message }, 'the controller cannot be reached');
      if (child.pid === undefined) controllerEnded(child, null, null);
    });
    child.on('exit', (code, signal) => controllerEnded(child, code, signal));
    if (predecessor) tellController(predecessor);
    if (stopping) tellController({ to: 'controller', type: 'stopping' });
    const tableVersion = lastTable?.type === 'table' ? lastTable.table.version : 0;
    for (const worker of listening) tellController({ to: 'controller', type: 'ready', worker, tableVersion });
  }

  function controllerEnded(child: ChildProcess, code: number | null, signal: string | null): void {
    if (closing || child !== controller) return;
    controller = undefined;
    const why = exitReason(code, signal);
    const restartInMs = controllerBackoff.ended();
    logger.warn({ why, restartInMs }, 'the controller ended; the workers serve the last table');
    later(restartInMs, () =>
      startController({
        ...{ to: 'controller', type: 'predecessor-gone', pid: child.pid ?? 0, why },
        files: lastGood,
      }),
    );
  }

  function startWorker(index: number): void {
    const worker = cluster.fork(workerEnvironment(options.env, index));
    const backoff = workerBackoffs.get(index) ?? restartBackoff(clock);
    workerBackoffs.set(index, backoff);
    backoff.started();
    workers.set(index, worker);
    worker.on('message', (message) => fromWorker(index, worker, message as FromWorker | ToSupervisor));
    worker.on('error', (error) => {
      logger.error({ worker: index, err: error.message }, 'a worker cannot be reached');
      if (worker.process.pid === undefined) workerEnded(index, worker, null, null);
    });
    worker.on('exit', (code, signal) => workerEnded(index, worker, code, signal));
  }

  function workerEnded(index: number, worker: Worker, code: number | null, signal: string | null): void {
    const wasLeaving = leaving.delete(worker);
    if (closing || workers.get(index) !== worker) return;
    workers.delete(index);
    listening.delete(index);
    // The last one took the socket along: who comes next must open the same port again, not another free one.
    if (listening.size === 0 && ports) listen = pinned(gateway.listen, ports);
    const why = wasLeaving && code === 0 ? 'no longer wanted' : exitReason(code, signal);
    tellController({ to: 'controller', type: 'gone', worker: index, pid: worker.process.pid ?? 0, why });
    if (index >= gateway.workers) return;
    const restartInMs = wasLeaving ? 0 : (workerBackoffs.get(index)?.ended() ?? 0);
    logger.warn({ worker: index, why, restartInMs }, 'a worker ended; starting another');
    later(restartInMs, () => {
      if (index < gateway.workers && !workers.has(index)) startWorker(index);
    });
  }

  /** node:cluster drops what is sent before the worker's own program listens, so it says when it does. */
  function equip(worker: Worker): void {
    if (closing) {
      tell(worker, { to: 'worker', type: 'stop', patient: false });
      return;
    }
    tell(worker, settingsMessage());
    if (lastTable) tell(worker, lastTable);
    for (const ejection of ejections.at(clock.now())) {
      tell(worker, { to: 'worker', type: 'ejection', ejection });
    }
  }

  function settingsMessage(): ToWorker {
    const settings = workerSettings(gateway, { listen, ticketKeys });
    return { to: 'worker', type: 'settings', revision, settings };
  }

  /** Other settings for all of them, and as many workers as these ask for. */
  function configure(message: Extract<ToSupervisor, { type: 'gateway' }>): void {
    if (closing || message.revision === revision) return;
    listen = carriedOver(message.settings.listen, { configured: gateway.listen, told: listen });
    gateway = message.settings;
    revision = message.revision;
    for (const worker of workers.values()) tell(worker, settingsMessage());
    for (let index = 0; index < gateway.workers; index++) if (!workers.has(index)) startWorker(index);
    for (const [index, worker] of workers) if (index >= gateway.workers) dismiss(index, worker);
  }

  /** It keeps its number until it has ended: what it still does is reported under that. */
  function dismiss(index: number, worker: Worker): void {
    if (leaving.has(worker)) return;
    listening.delete(index);
    leaving.add(worker);
    void drain(worker, true);
  }

  function drain(worker: Worker, patient: boolean): Promise<void> {
    const deadlineMs = gateway.timeouts.drainMs * (patient ? 2 : 1);
    tell(worker, { to: 'worker', type: 'stop', patient });
    return ended(worker.process, deadlineMs + LAST_WORDS_MS, clock);
  }

  function fromController(message: ToWorker | ToSupervisor): void {
    if (message.to === 'worker') {
      if (message.type === 'table') lastTable = message;
      for (const worker of workers.values()) tell(worker, message);
    } else if (message.type === 'controller-ready') {
      adminPort = message.adminPort;
      settle();
    } else if (message.type === 'gateway') {
      configure(message);
    } else if (message.type === 'last-good') {
      lastGood = message.files;
    } else if (message.type === 'failed') {
      failed(message, 'the controller');
    }
  }

  function fromWorker(index: number, worker: Worker, message: FromWorker | ToSupervisor): void {
    if (message.to === 'supervisor') {
      if (message.type === 'worker-hears') equip(worker);
      else if (message.type === 'worker-listening') {
        ports = message.ports;
        if (!leaving.has(worker)) listening.add(index);
        settle();
      } else if (message.type === 'failed' && !failed(message, `worker ${index}`)) {
        // It lives and serves nobody; its successor tries again.
        worker.process.kill('SIGKILL');
      }
      return;
    }
    const pid = worker.process.pid;
    tellController(message.type === 'ready' && pid !== undefined ? { ...message, pid } : message);
    if (message.type !== 'ejection') return;
    ejections.add(message.ejection);
    // The others must not find out one by one, and not wait for a controller that may be away.
    for (const [other, its] of workers) {
      if (other !== index) tell(its, { to: 'worker', type: 'ejection', ejection: message.ejection });
    }
  }

  function tellController(message: FromWorker | FromSupervisor): void {
    if (controller?.connected) controller.send(message, () => {});
  }

  function settle(): void {
    if (!ports || adminPort === undefined || listening.size < gateway.workers) return;
    started?.resolve({ ports, adminPort });
    started = undefined;
  }

  /** True when it ended the start: all is about to be closed. Later, it is one process's trouble only. */
  function failed(message: Extract<ToSupervisor, { type: 'failed' }>, who: string): boolean {
    if (closing) return true;
    if (!started) {
      const { why, remedy } = message.details ?? {};
      logger.error({ code: message.code, why, remedy }, `${who} could not start: ${message.message}`);
      return false;
    }
    started.reject(new SluiceError(message.code, message.message, message.details ?? {}));
    started = undefined;
    // Whatever else fails for the same reason must not say so again.
    closing = true;
    return true;
  }

  function later(ms: number, run: () => void): void {
    const dispose = clock.after(ms, () => {
      timers.delete(dispose);
      if (!closing) run();
    });
    timers.add(dispose);
  }

  let closed: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    stopping = true;
    tellController({ to: 'controller', type: 'stopping' });
    // Until whoever asks /readyz has heard of it, new connections keep coming; nobody asks what never served.
    if (!closing && listening.size > 0) await clock.sleep(gateway.timeouts.stopDelayMs);
    closing = true;
    for (const dispose of timers) dispose();
    await Promise.all([...workers.values()].map((worker) => drain(worker, false)));
    // Last: while requests drain, somebody must still answer /readyz and take events.
    if (!controller) return;
    const gone = ended(controller, CONTROLLER_STOP_MS, clock);
    controller.kill('SIGTERM');
    await gone;
  }

  return {
    start() {
      cluster.schedulingPolicy = cluster.SCHED_NONE;
      cluster.setupPrimary({ execArgv: [...process.execArgv, ...WORKER_FLAGS] });
      const ready = new Promise<Listening>((resolve, reject) => {
        started = { resolve, reject };
      });
      later(FIRST_START_MS, () => {
        if (!started) return;
        const what = `the gateway did not start within ${FIRST_START_MS / 1000} s`;
        started.reject(new SluiceError('NOT_HEALTHY', what, { remedy: 'read the log above' }));
        started = undefined;
      });
      startController();
      for (let index = 0; index < gateway.workers; index++) startWorker(index);
      return ready;
    },
    reload() {
      // Whoever moved the log away says so by the same signal, and nothing else may have changed.
      for (const worker of workers.values()) tell(worker, { to: 'worker', type: 'reopen-logs' });
      // One that is about to start reads it anyway.
      tellController({ to: 'controller', type: 'reload' });
    },
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}
