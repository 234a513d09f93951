import { SluiceError } from '../core/errors.ts';
import type { FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import type { Clock, Logger, Random } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';

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

const COUNTERS_MS = 1_000;

/** The data path of one process: serves the newest table it was sent, whatever else lives or dies. */
export function runWorker(options: WorkerOptions): void {
  const { index, channel, logger } = options;
  let gateway: Gateway | undefined;
  let starting: Promise<void> | undefined;
  let tableVersion = 0;
  let told = '';

  function tellCounters(made: Gateway): void {
    const counters = made.metrics();
    const text = JSON.stringify(counters);
    if (text === told) return;
    told = text;
    channel.send({ to: 'controller', type: 'counters', worker: index, counters });
  }

  async function start(settings: GatewaySettings): Promise<void> {
    const made = createGateway({ ...options, worker: index, settings });
    made.onTraffic((signals) => channel.send({ to: 'controller', type: 'traffic', worker: index, signals }));
    made.onEjection((ejection) =>
      channel.send({ to: 'controller', type: 'ejection', worker: index, ejection }),
    );
    made.onDrained((version) => channel.send({ to: 'controller', type: 'drained', worker: index, version }));
    gateway = made;
    try {
      await made.start();
    } catch (caught) {
      const { code, message, details } = SluiceError.from(caught);
      const { cause: _, ...plain } = details;
      channel.send({ to: 'supervisor', type: 'failed', code, message, details: plain });
      return;
    }
    channel.send({ to: 'supervisor', type: 'worker-listening', ports: made.ports });
    channel.send({ to: 'controller', type: 'ready', worker: index, tableVersion });
    options.clock.every(COUNTERS_MS, () => tellCounters(made));
  }

  async function stop(): Promise<void> {
    await starting;
    await gateway
      ?.close()
      .catch((error: Error) => logger.error({ err: error.message }, 'the gateway closed badly'));
    options.exit(0);
  }

  channel.onMessage((message) => {
    switch (message.type) {
      case 'settings':
        starting ??= start(message.settings);
        break;
      case 'table':
        gateway?.swap(message.table);
        tableVersion = message.table.version;
        channel.send({ to: 'controller', type: 'applied', worker: index, version: tableVersion });
        break;
      case 'ejection':
        gateway?.applyEjection(message.ejection);
        break;
      case 'stop':
        void stop();
        break;
    }
  });
  channel.send({ to: 'supervisor', type: 'worker-hears' });
  // Without a supervisor nobody would ever stop us.
  channel.onDisconnect(() => options.exit(0));
}
