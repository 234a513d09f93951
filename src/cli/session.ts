import type { Control } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { Logs } from '../core/logs.ts';
import type { Operations } from '../core/operations.ts';
import type { Settings } from '../core/settings.ts';
import type { StatusView } from '../core/status.ts';
import { aloneSession } from './alone-session.ts';
import type { CliIo } from './io.ts';
import { adminUrlOf, tokenFor } from './server-address.ts';
import { type ServerClient, serverClient } from './server-client.ts';

/** Who does what the command asks: a running controller, or an orchestrator in this very process. */
export interface Session {
  readonly kind: 'server' | 'alone';
  readonly control: Control;
  readonly operations: Operations;
  /** What the application prints. */
  readonly logs: Logs['logs'];
  /** Alone: what the platforms themselves say; nobody probes, so all verdicts are `unknown`. */
  status(): Promise<StatusView>;
  /** Calls back for events from now on, until closed; resolves when it is under way. */
  follow(onEvent: (event: LoggedEvent) => void): Promise<void>;
  /** Alone: resolves when all that was begun has ended. With a server the work goes on there: at once. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly server?: string;
  readonly token?: string;
}

/** `--server` if given, else the controller of this configuration if it runs, else alone over the same state. */
export async function openSession(settings: Settings, options: ServerOptions, io: CliIo): Promise<Session> {
  const { server } = options;
  const token = tokenFor(settings, server, options.token ?? io.env['SLUICE_TOKEN']);
  const client = serverClient(server ?? adminUrlOf(settings), token);
  const found = server === undefined ? await client.look() : 'there';
  if (found === 'there') return serverSession(client);
  await client.close();
  if (found === 'silent') {
    // Working beside a server that lives would take instances away while it still sends to them.
    throw new SluiceError('SERVER_UNREACHABLE', `something listens at ${client.url} and does not answer`, {
      where: client.url,
      remedy: 'wait for it if it is a busy `sluice serve`; else stop it, or set gateway.admin.port',
    });
  }
  return await aloneSession(settings, io);
}

export function serverSession(client: ServerClient): Session {
  const detached = new AbortController();
  return {
    kind: 'server',
    control: client,
    operations: client,
    logs: client.logs,
    status: () => client.status(),
    follow(onEvent) {
      return new Promise((tried) => {
        // A server that refuses or is away shows in the act itself, which has the better words for it.
        client.follow('now', onEvent, detached.signal, tried).then(tried, () => tried());
      });
    },
    async settled() {},
    async close() {
      detached.abort();
      await client.close();
    },
  };
}
