import { SluiceError, toWire } from '../core/errors.ts';
import type { FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import type { Clock, Logger, OpenLines, Random } from '../core/ports.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import { openLineFile } from '../observe/line-file.ts';

/** How a worker hears from and speaks to the supervisor: `process` in production, two functions in tests. */
export interface WorkerChannel {
  send(message: FromWorker | ToSupervisor): void;
  onMessage(listener: (message: ToWorker) => void): void;
  onDisconnect(listener: () => void): void;
}

export interface WorkerOptions {
  readonly index: number;
  readonly channel: WorkerChannel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly exit: (status: number) => void;
}

type SettingsMessage = Extract<ToWorker, { type: 'settings' }>;

const COUNTERS_MS = 1_000;

/** The data path of one process: serves the newest table it was sent, whatever else lives or dies. */
export function runWorker(options: WorkerOptions): void {
  const { index, channel, clock, logger } = options;
  let gateway: Gateway | undefined;
  /** One change of settings after the other; the first is the start. */
  let configuring: Promise<boolean> | undefined;
  let tableVersion = 0;
  let told = '';

  function tellCounters(made: Gateway): void {
    const counters = made.metrics();
    const text = JSON.stringify(counters);
    if (text === told) return;
    told = text;
    channel.send({ to: 'controller', type: 'counters', worker: index, counters });
  }

  /** False: it cannot serve at all. */
  async function start({ revision, settings }: SettingsMessage): Promise<boolean> {
    const openLines: OpenLines = (file, droppedLine) => openLineFile({ file, droppedLine, clock, logger });
    const made = createGateway({ ...options, worker: index, settings, openLines });
    made.onTraffic((signals) => channel.send({ to: 'controller', type: 'traffic', worker: index, signals }));
    made.onDemand((signals) => channel.send({ to: 'controller', type: 'demand', worker: index, signals }));
    made.onEjection((ejection) =>
      channel.send({ to: 'controller', type: 'ejection', worker: index, ejection }),
    );
    // Names in a table are looked up before it replaces the one that serves.
    made.onApplied((version) => {
      tableVersion = version;
      channel.send({ to: 'controller', type: 'applied', worker: index, version });
    });
    made.onDrained((version) => channel.send({ to: 'controller', type: 'drained', worker: index, version }));
    gateway = made;
    try {
      await made.start();
    } catch (caught) {
      const { code, message, details } = SluiceError.from(caught);
      const { cause: _, ...plain } = details;
      channel.send({ to: 'supervisor', type: 'failed', code, message, details: plain });
      return false;
    }
    channel.send({ to: 'supervisor', type: 'worker-listening', ports: made.ports });
    channel.send({ to: 'controller', type: 'ready', worker: index, tableVersion });
    channel.send({ to: 'controller', type: 'configured', worker: index, revision });
    options.clock.every(COUNTERS_MS, () => tellCounters(made));
    return true;
  }

  async function change(made: Gateway, { revision, settings }: SettingsMessage): Promise<void> {
    try {
      const ports = await made.apply(settings);
      channel.send({ to: 'supervisor', type: 'worker-listening', ports });
      channel.send({ to: 'controller', type: 'configured', worker: index, revision });
    } catch (caught) {
      const error = toWire(SluiceError.from(caught));
      channel.send({ to: 'controller', type: 'configured', worker: index, revision, error });
    }
  }

  function configure(message: SettingsMessage): Promise<boolean> {
    // At once: what comes behind it, as the first table, needs the gateway that this makes.
    if (configuring === undefined) return start(message);
    return configuring.then(async (serves) => {
      if (serves && gateway) await change(gateway, message);
      return serves;
    });
  }

  async function stop(patient: boolean): Promise<void> {
    await configuring;
    await gateway
      ?.close(patient)
      .catch((error: Error) => logger.error({ err: error.message }, 'the gateway closed badly'));
    options.exit(0);
  }

  channel.onMessage((message) => {
    switch (message.type) {
      case 'settings':
        configuring = configure(message);
        break;
      case 'table':
        gateway?.swap(message.table);
        break;
      case 'reopen-logs':
        gateway?.reopenLogs();
        break;
      case 'ejection':
        gateway?.applyEjection(message.ejection);
        break;
      case 'stop':
        void stop(message.patient);
        break;
    }
  });
  channel.send({ to: 'supervisor', type: 'worker-hears' });
  // Without a supervisor nobody would ever stop us.
  channel.onDisconnect(() => options.exit(0));
}
