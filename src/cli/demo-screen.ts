import type { Dashboard } from '../../dashboards/terminal/dashboard.ts';
import { SluiceError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import { serverClient } from './server-client.ts';
import { dashboardOn } from './terminal-dashboard.ts';

/** Where the demo's words go: into the dashboard while it is open, else as lines. */
export interface DemoScreen {
  /** The dashboard is open and shows the events itself. */
  isShown(): boolean;
  /** Aborted when the person leaves the dashboard, or stops the command. */
  readonly signal: AbortSignal;
  say(line: string): void;
  /** Shows the server at this address until the function it returns is called. */
  open(adminUrl: string): () => Promise<void>;
}

export async function demoScreen(
  io: CliIo,
  options: { readonly title: string; readonly live: boolean; readonly color: boolean },
): Promise<DemoScreen> {
  const openDashboard = options.live ? await dashboardOn(io, options.color) : undefined;
  const leaving = new AbortController();
  let dashboard: Dashboard | undefined;

  function say(line: string): void {
    if (!dashboard) {
      io.stderr(`${line}\n`);
      return;
    }
    dashboard.note(line);
    // The indented lines tell how it goes; the others what is being done now.
    if (!line.startsWith(' ')) dashboard.banner(line);
  }

  return {
    isShown: () => dashboard !== undefined,
    signal: AbortSignal.any([io.signal, leaving.signal]),
    say,
    open(adminUrl) {
      if (!openDashboard) return async () => undefined;
      const client = serverClient(adminUrl, undefined);
      const shown = openDashboard(options.title, client);
      dashboard = shown;
      let byUs = false;
      const over = shown.closed
        .catch((fault) => io.stderr(`the dashboard failed: ${SluiceError.from(fault).message}\n`))
        .then(() => {
          dashboard = undefined;
          if (byUs) return;
          io.stderr('stopping the demo after this step; Ctrl-C twice ends it now\n');
          leaving.abort(new SluiceError('INTERRUPTED', 'the demo was interrupted'));
        });
      const stop = (): void => shown.close();
      io.signal.addEventListener('abort', stop, { once: true });
      if (io.signal.aborted) stop();
      return async () => {
        byUs = true;
        io.signal.removeEventListener('abort', stop);
        shown.close();
        await over;
        await client.close();
      };
    },
  };
}
