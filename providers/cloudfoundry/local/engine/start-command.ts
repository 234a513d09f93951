import type { AppRow, CloudState, DropletRow, ProcessRow, SpaceRow } from '../state.ts';
import { routesOf, routeUrl } from '../state.ts';
import { vcapServices } from './vcap-services.ts';

/** The command a process runs: its own, else what staging found for its type. */
export function commandOf(process: ProcessRow, droplet: DropletRow): string | undefined {
  return process.command ?? droplet.processTypes?.[process.type];
}

/** What every instance of a process is told; fixed when the process is started, whatever changes later. */
export function processEnv(
  state: CloudState,
  apiUrl: string,
  app: AppRow,
  process: ProcessRow,
): Record<string, string> {
  return {
    ...app.env,
    VCAP_SERVICES: JSON.stringify(vcapServices(state, app)),
    VCAP_APPLICATION: JSON.stringify(vcapApplication(state, apiUrl, app, process)),
    MEMORY_LIMIT: `${process.memoryMb}m`,
    CF_INSTANCE_IP: '127.0.0.1',
    CF_INSTANCE_INTERNAL_IP: '127.0.0.1',
    USER: 'vcap',
    LANG: 'en_US.UTF-8',
  };
}

/** A task has no port and no index. */
export function taskEnv(
  state: CloudState,
  apiUrl: string,
  app: AppRow,
  task: { readonly memoryMb: number },
): Record<string, string> {
  return {
    ...app.env,
    VCAP_SERVICES: JSON.stringify(vcapServices(state, app)),
    VCAP_APPLICATION: JSON.stringify(vcapApplication(state, apiUrl, app)),
    MEMORY_LIMIT: `${task.memoryMb}m`,
    USER: 'vcap',
    LANG: 'en_US.UTF-8',
  };
}

export function vcapApplication(
  state: CloudState,
  apiUrl: string,
  app: AppRow,
  process?: ProcessRow,
): Record<string, unknown> {
  const space: SpaceRow | undefined = state.spaces.get(app.spaceGuid);
  const organization = space ? state.organizations.get(space.organizationGuid) : undefined;
  const uris = routesOf(state, app.guid).map((route) => routeUrl(state, route));
  return {
    cf_api: apiUrl,
    limits: process ? { fds: 16_384, mem: process.memoryMb, disk: process.diskMb } : { fds: 16_384 },
    application_name: app.name,
    application_uris: uris,
    name: app.name,
    space_name: space?.name,
    space_id: app.spaceGuid,
    organization_id: organization?.guid,
    organization_name: organization?.name,
    uris,
    users: null,
    ...(process ? { process_id: process.guid, process_type: process.type } : {}),
    application_id: app.guid,
    version: process?.version ?? app.guid,
    application_version: process?.version ?? app.guid,
  };
}

/** Sidecars live and die with the process: one that ends takes the instance with it. */
export function withSidecars(command: string, state: CloudState, appGuid: string, type: string): string {
  const beside = [...state.sidecars.values()].filter(
    (sidecar) => sidecar.appGuid === appGuid && sidecar.processTypes.includes(type),
  );
  return [...beside.map((sidecar) => `( ${sidecar.command}; kill -TERM $$ ) &`), command].join(' ');
}

/** The shell knows the port; we do not yet. Modules bring their own tools, as a buildpack's profile would set up. */
export function shellCommand(command: string, env: Readonly<Record<string, string>>): string {
  const tools = env['PATH'] === undefined ? 'export PATH="$PWD/node_modules/.bin:$PATH"; ' : '';
  return `${tools}export CF_INSTANCE_PORT="$PORT" CF_INSTANCE_ADDR="127.0.0.1:$PORT" VCAP_APP_PORT="$PORT"; ${command}`;
}
