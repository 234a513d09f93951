import type { Dashboard } from '../../dashboards/terminal/dashboard.ts';
import type { DashboardSource } from '../../dashboards/terminal/source.ts';
import { describeEvent } from '../events/describe.ts';
import { systemClock } from '../lib/clock.ts';
import type { CliIo } from './io.ts';
import type { ServerClient } from './server-client.ts';

export type OpenDashboard = (title: string, client: ServerClient) => Dashboard;

/**
 * The dashboard on this command's terminal; undefined when there is none. What draws is loaded only here: every
 * other command, and every worker, starts without it.
 */
export async function dashboardOn(io: CliIo, color: boolean): Promise<OpenDashboard | undefined> {
  const { terminal } = io;
  if (!terminal) return undefined;
  const { openScreen } = await import('../../dashboards/terminal/screen.ts');
  const { startDashboard } = await import('../../dashboards/terminal/dashboard.ts');
  const { createLook, isUtf8Locale, wantsColor } = await import('../../dashboards/terminal/look.ts');
  const unicode = isUtf8Locale(io.env);
  return function openDashboard(title, client) {
    return startDashboard({
      title,
      source: sourceOf(client),
      screen: openScreen({ ...terminal, unicode, color: color && wantsColor(io.env) }),
      look: createLook(unicode, describeEvent),
      clock: systemClock,
    });
  };
}

function sourceOf(client: ServerClient): DashboardSource {
  return {
    // Somebody may have put a password into the address.
    where: new URL(client.url).origin,
    status: (signal) => client.status(signal),
    explain: (application) => client.explain(application),
    follow: (onEvent, signal) => client.follow('now', onEvent, signal),
  };
}
