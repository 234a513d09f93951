import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Random, Runnable } from '../../../src/core/ports.ts';
import type { Runner } from '../../../src/core/runner.ts';
import type { Fault } from '../../../src/lib/faults.ts';
import { closeAll, startAll } from '../../../src/lib/lifecycle.ts';
import { logCacheRoutes } from './api/log-cache.ts';
import { apiRoutes } from './api/table.ts';
import { createApiServer } from './api-server.ts';
import { createAuditLog } from './audit.ts';
import type { Cloud, CloudBase, CloudUrls } from './cloud.ts';
import { createControl } from './control.ts';
import { delaysAt } from './delays.ts';
import { createDeployments } from './engine/deployments.ts';
import { createInstances } from './engine/instances.ts';
import { createLifecycle } from './engine/lifecycle.ts';
import { createStaging } from './engine/staging.ts';
import { createFaults } from './faults.ts';
import { createJobs } from './jobs.ts';
import { createListener, type Listener } from './listener.ts';
import { createAppLogs } from './logs.ts';
import { createRouteTable } from './route-table.ts';
import { createRouter } from './router.ts';
import { createState } from './state.ts';
import { type Credentials, createUaa } from './uaa.ts';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface LocalCloudFoundryOptions {
  /** Bundles and droplets are kept below it; what an earlier run left there is removed. */
  readonly dir: string;
  /** Runs the instances. Closing it is the caller's. */
  readonly runner: Runner;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids?: () => string;
  readonly logger?: Logger;
  /** 0 and left out take free ones. */
  readonly ports?: {
    readonly api?: number;
    readonly uaa?: number;
    readonly logCache?: number;
    readonly router?: number;
    readonly control?: number;
  };
  /** The shared domain; default `apps.cf.localhost`. */
  readonly domain?: string;
  /** 1 is slow enough to be seen; 0.05 for tests. */
  readonly speed?: number;
  /** Lifetime of access tokens; default 600. */
  readonly tokenSeconds?: number;
  /** Requests an hour and user; default 20000. */
  readonly rateLimit?: number;
}

/** Addresses are known after `start`. */
export interface LocalCloudFoundry extends Runnable {
  readonly apiUrl: string;
  readonly routerUrl: string;
  readonly controlUrl: string;
  readonly domain: string;
  readonly organization: string;
  readonly space: string;
  readonly credentials: Credentials;
  setFault(fault: Fault, on: boolean): void;
  /** Resolves when the listeners have followed the last `setFault`. */
  settled(): Promise<void>;
}

/**
 * A small Cloud Foundry on loopback: Cloud Controller, UAA, log-cache and router as servers of their own, and
 * droplets that really run.
 *
 * @example
 * const cf = createLocalCloudFoundry({ dir, runner, clock: systemClock, random: systemRandom });
 * await cf.start(); // cf.apiUrl, cf.credentials, org `demo`, space `dev`
 */
export function createLocalCloudFoundry(options: LocalCloudFoundryOptions): LocalCloudFoundry {
  const { clock, random, runner } = options;
  const newId = options.ids ?? randomUUID;
  const logger = options.logger ?? SILENT;
  const domain = options.domain ?? 'apps.cf.localhost';
  const state = createState(clock, newId, domain);
  const faults = createFaults();
  const urls: CloudUrls = { api: '', uaa: '', logCache: '', router: '', control: '' };
  const base: CloudBase = {
    clock,
    random,
    newId,
    logger,
    runner,
    delays: delaysAt(options.speed ?? 1),
    state,
    faults,
    logs: createAppLogs(),
    audit: createAuditLog(state, clock, newId),
    urls,
    dir: options.dir,
  };
  const instances = createInstances(base);
  const lifecycle = createLifecycle(base, instances);
  const deployments = createDeployments(base, instances, lifecycle);
  const routeTable = createRouteTable(base, instances);
  const cloud: Cloud = {
    ...base,
    jobs: createJobs(base),
    staging: createStaging(base),
    instances,
    lifecycle,
    deployments,
    routeTable,
  };

  const credentials: Credentials = {
    username: 'admin',
    password: 'admin',
    clientId: 'sluice',
    clientSecret: 'sluice-secret',
  };
  const uaa = createUaa({
    clock,
    newId,
    credentials,
    tokenSeconds: options.tokenSeconds ?? 600,
    issuer: () => urls.uaa,
  });
  const front = {
    uaa,
    faults,
    clock,
    newId,
    logger,
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  };
  const { ports = {} } = options;
  const api = createListener(ports.api ?? 0, createApiServer({ ...front, routes: apiRoutes(cloud) }));
  const uaaListener = createListener(ports.uaa ?? 0, uaa.handle);
  const logCache = createListener(
    ports.logCache ?? 0,
    createApiServer({ ...front, routes: logCacheRoutes(cloud) }),
  );
  const router = createRouter(base, routeTable, ports.router ?? 0);
  const control = createListener(ports.control ?? 0, createControl(faults, describe));

  function describe(): object {
    return { ...urls, domain, organization: 'demo', space: 'dev', credentials, faults: faults.active() };
  }

  /** Listeners follow faults one after the other, so that off right after on ends open. */
  let following: Promise<void> = Promise.resolve();
  function follow(act: () => Promise<void> | void): void {
    following = following.then(act).catch((error: unknown) => {
      logger.error({ error: String(error) }, 'local cloud foundry: a listener did not follow a fault');
    });
  }

  async function openOrShut(
    listeners: readonly Pick<Listener, 'open' | 'shut'>[],
    down: boolean,
  ): Promise<void> {
    for (const listener of listeners) await (down ? listener.shut() : listener.open());
  }

  let stopFollowing = (): void => undefined;
  function followFaults(): void {
    stopFollowing = faults.onChange(({ fault, on }) => {
      if (fault === 'router-down') follow(() => openOrShut([router], on));
      if (fault === 'api-down') follow(() => openOrShut([api, uaaListener, logCache], on));
      // At once: the next byte already must not pass.
      if (fault === 'router-frozen') (on ? router.freeze : router.thaw)();
    });
  }

  const parts: readonly Runnable[] = [
    {
      name: 'folders',
      async start() {
        for (const name of ['packages', 'droplets']) {
          await rm(join(options.dir, name), { recursive: true, force: true });
          await mkdir(join(options.dir, name), { recursive: true });
        }
      },
      close: async () => undefined,
    },
    { name: 'instances', start: async () => undefined, close: () => instances.close() },
    { name: 'router', start: router.open, close: router.close },
    { name: 'uaa', start: uaaListener.open, close: uaaListener.shut },
    { name: 'log-cache', start: logCache.open, close: logCache.shut },
    { name: 'api', start: api.open, close: api.shut },
    { name: 'control', start: control.open, close: control.shut },
    {
      name: 'updater',
      async start() {
        Object.assign(urls, {
          api: api.url,
          uaa: uaaListener.url,
          logCache: logCache.url,
          router: router.url,
          control: control.url,
        });
        deployments.start();
        followFaults();
      },
      async close() {
        deployments.close();
        routeTable.close();
        stopFollowing();
        await following;
      },
    },
  ];

  return {
    name: 'local-cloudfoundry',
    domain,
    organization: 'demo',
    space: 'dev',
    credentials,
    get apiUrl() {
      return urls.api;
    },
    get routerUrl() {
      return urls.router;
    },
    get controlUrl() {
      return urls.control;
    },
    setFault: faults.set,
    settled: () => following,
    start: () => startAll(parts),
    close: () => closeAll(parts),
  };
}
