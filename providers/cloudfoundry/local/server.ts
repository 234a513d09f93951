import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Random, Runnable } from '../../../src/core/ports.ts';
import type { Runner } from '../../../src/core/runner.ts';
import type { Fault } from '../../../src/lib/faults.ts';
import { imageShelf } from '../../../src/lib/image-shelf.ts';
import { closeAll, startAll } from '../../../src/lib/lifecycle.ts';
import { selfSignedCertificate } from '../../../src/lib/self-signed.ts';
import { logCacheRoutes } from './api/log-cache.ts';
import { apiRoutes } from './api/table.ts';
import { createApiServer } from './api-server.ts';
import { createAuditLog } from './audit.ts';
import { createBlobs } from './blobs.ts';
import type { Cloud, CloudBase } from './cloud.ts';
import { createControl } from './control.ts';
import { delaysAt } from './delays.ts';
import { createDeployments } from './engine/deployments.ts';
import { createInstances } from './engine/instances.ts';
import { createLifecycle } from './engine/lifecycle.ts';
import { createRevisions } from './engine/revisions.ts';
import { createServiceBroker } from './engine/service-broker.ts';
import { createStaging } from './engine/staging.ts';
import { createTasks } from './engine/tasks.ts';
import { followFaults } from './fault-listeners.ts';
import { createFaults } from './faults.ts';
import { createJobs } from './jobs.ts';
import { createKorifiLogin, korifiRoutes, type Mode } from './korifi.ts';
import { createListener } from './listener.ts';
import { createAppLogs } from './logs.ts';
import { createQuotas } from './quota.ts';
import { createRouteTable } from './route-table.ts';
import { createRouter } from './router.ts';
import { createState } from './state.ts';
import { type Credentials, createUaa } from './uaa.ts';

const DOMAIN = 'apps.cf.localhost';
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
  /** Every port but the control one speaks TLS too, and the addresses say https; `ca` is its authority. */
  readonly https?: boolean;
  /**
   * Registries: `registry.example.com/shop@sha256:…` is a folder below it. With it the operator has switched on
   * `diego_docker`.
   */
  readonly imagesDir?: string;
  /** `korifi`: the part of the API that Cloud Foundry on Kubernetes has, with the cluster's login. */
  readonly mode?: Mode;
  /** Requests an hour and user; default 20000. */
  readonly rateLimit?: number;
  /** The same for an address without a good token; default 1000. */
  readonly unauthenticatedLimit?: number;
}

/** Addresses are known after `start`. */
export interface LocalCloudFoundry extends Runnable {
  readonly apiUrl: string;
  readonly routerUrl: string;
  readonly controlUrl: string;
  /** File of the authority's certificate, where it speaks TLS. */
  readonly ca: string | undefined;
  readonly domain: string;
  readonly organization: string;
  readonly space: string;
  readonly credentials: Credentials;
  /** Of mode `korifi`, where the credentials are good for nothing. */
  readonly token: string | undefined;
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
  const { clock } = options;
  const newId = options.ids ?? randomUUID;
  const logger = options.logger ?? SILENT;
  const domain = options.domain ?? DOMAIN;
  const cloud = assemble(options, newId, logger, domain);
  const { faults, urls, instances, tasks, deployments, routeTable } = cloud;

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
    userGuid: cloud.userGuid,
    tokenSeconds: options.tokenSeconds ?? 600,
    issuer: () => urls.uaa,
  });
  const korifi = options.mode === 'korifi' ? createKorifiLogin(newId, cloud.userGuid) : undefined;
  const routes = korifi
    ? korifiRoutes(cloud, [...apiRoutes(cloud), ...logCacheRoutes(cloud)])
    : apiRoutes(cloud);
  const front = {
    uaa: korifi ?? uaa,
    faults,
    clock,
    newId,
    logger,
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
    ...(options.unauthenticatedLimit === undefined
      ? {}
      : { unauthenticatedLimit: options.unauthenticatedLimit }),
  };
  const { ports = {} } = options;
  const tls = options.https
    ? selfSignedCertificate(['127.0.0.1', 'localhost', domain, `*.${domain}`])
    : undefined;
  const api = createListener(ports.api ?? 0, createApiServer({ ...front, routes }), {
    tls,
  });
  const uaaListener = createListener(ports.uaa ?? 0, uaa.handle, { tls });
  const logCache = createListener(
    ports.logCache ?? 0,
    createApiServer({ ...front, routes: logCacheRoutes(cloud) }),
    { tls },
  );
  const router = createRouter(cloud, routeTable, ports.router ?? 0, tls);
  const control = createListener(ports.control ?? 0, createControl(faults, describe));

  function describe(): object {
    return {
      ...urls,
      ...(tls ? { ca: join(options.dir, 'ca.pem') } : {}),
      domain,
      organization: 'demo',
      space: 'dev',
      credentials: korifi ? { token: korifi.token } : credentials,
      faults: faults.active(),
    };
  }

  const follower = followFaults(faults, router, [api, uaaListener, logCache], logger);

  const parts: readonly Runnable[] = [
    {
      name: 'folders',
      async start() {
        for (const name of ['packages', 'droplets']) {
          await rm(join(options.dir, name), { recursive: true, force: true });
          await mkdir(join(options.dir, name), { recursive: true });
        }
        if (tls) await writeFile(join(options.dir, 'ca.pem'), tls.certificate);
      },
      close: async () => undefined,
    },
    { name: 'instances', start: async () => undefined, close: () => instances.close() },
    { name: 'tasks', start: async () => undefined, close: () => tasks.close() },
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
        follower.start();
      },
      async close() {
        deployments.close();
        routeTable.close();
        await follower.close();
      },
    },
  ];

  return {
    name: 'local-cloudfoundry',
    ca: tls && join(options.dir, 'ca.pem'),
    domain,
    organization: 'demo',
    space: 'dev',
    credentials,
    token: korifi?.token,
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
    settled: follower.settled,
    start: () => startAll(parts),
    close: () => closeAll(parts),
  };
}

/** The parts of the foundation; nothing runs or listens yet. */
function assemble(
  options: LocalCloudFoundryOptions,
  newId: () => string,
  logger: Logger,
  domain: string,
): Cloud {
  const { clock, random, runner } = options;
  const state = createState(clock, newId, domain);
  const userGuid = newId();
  const docker = state.featureFlags.get('diego_docker');
  if (docker) docker.enabled = options.imagesDir !== undefined;
  const base: CloudBase = {
    clock,
    random,
    newId,
    logger,
    runner,
    delays: delaysAt(options.speed ?? 1),
    state,
    faults: createFaults(),
    logs: createAppLogs(),
    audit: createAuditLog(state, clock, newId, userGuid),
    userGuid,
    images: imageShelf(options.imagesDir),
    urls: { api: '', uaa: '', logCache: '', router: '', control: '' },
    dir: options.dir,
  };
  const instances = createInstances(base);
  const revisions = createRevisions(base);
  const lifecycle = createLifecycle(base, instances, revisions);
  const jobs = createJobs(base);
  return {
    ...base,
    jobs,
    broker: createServiceBroker(base, jobs),
    blobs: createBlobs(base),
    staging: createStaging(base),
    tasks: createTasks(base),
    revisions,
    quotas: createQuotas(base),
    instances,
    lifecycle,
    deployments: createDeployments(base, instances, lifecycle, revisions),
    routeTable: createRouteTable(base, instances),
  };
}
