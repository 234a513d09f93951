import { platformError } from '../../src/core/errors.ts';
import type { Operation, ProviderContext } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { requireOwnApp, webProcesses } from './find.ts';
import { finished, handleOf } from './status.ts';

/** What the platform itself takes where nobody set another. */
const DEFAULT_START_TIMEOUT_S = 60;

/** While a deployment is under way it is the new process that is scaled: the old one goes anyway. */
export async function scale(
  session: Session,
  context: ProviderContext,
  application: string,
  instances: number,
): Promise<Operation> {
  const app = await requireOwnApp(session, application);
  const web = (await webProcesses(session, app.guid)).at(-1);
  if (!web) {
    throw platformError('notFound', session.platform, `${application} has no web process`, {
      why: `application ${app.guid} lists no process of type web`,
      remedy: 'deploy it again: sluice deploy',
    });
  }
  await session.post(`/v3/processes/${web.guid}/actions/scale`, { instances });
  const seconds = web.health_check.data?.timeout ?? DEFAULT_START_TIMEOUT_S;
  const handle = handleOf(session.platform, application, 'scale', context.now(), {
    app: app.guid,
    mode: 'settle',
    instances: String(instances),
    startTimeoutMs: String(seconds * 1000),
  });
  return app.state === 'STOPPED' ? finished(handle) : { handle };
}
