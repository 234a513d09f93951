import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Random, Runnable } from '../../../src/core/ports.ts';
import type { Runner } from '../../../src/core/runner.ts';
import { emitter } from '../../../src/lib/emitter.ts';
import { createPassing, type Fault } from '../../../src/lib/faults.ts';
import { imageShelf } from '../../../src/lib/image-shelf.ts';
import { closeAll, startAll } from '../../../src/lib/lifecycle.ts';
import { selfSignedCertificate } from '../../../src/lib/self-signed.ts';
import { createAccess } from './access.ts';
import { PERSON } from './api/oauth.ts';
import { createProject } from './api/projects.ts';
import { createApiServer } from './api/server.ts';
import { createBuildRuns } from './build-runs.ts';
import type { Cluster, Controller } from './cluster.ts';
import { createControlServer } from './control.ts';
import { createAutoscalerController } from './controllers/autoscaler.ts';
import { createBuildController } from './controllers/build.ts';
import { createCronJobController } from './controllers/cron-job.ts';
import { createDeploymentController } from './controllers/deployment.ts';
import { createEndpointsController } from './controllers/endpoints.ts';
import { createGarbageCollector } from './controllers/garbage.ts';
import { createImageTriggerController } from './controllers/image-trigger.ts';
import { createIngressController } from './controllers/ingress.ts';
import { createJobController } from './controllers/job.ts';
import { createNamespaceController } from './controllers/namespace.ts';
import { createPodController } from './controllers/pod.ts';
import { createQuotaController } from './controllers/quota.ts';
import { createReplicaSetController } from './controllers/replicaset.ts';
import { createRouteController } from './controllers/route.ts';
import { createVolumeClaimController } from './controllers/volume-claim.ts';
import { createImageFolder } from './images.ts';
import { createPodLogs } from './pod-logs.ts';
import { createPodNetwork } from './pod-network.ts';
import { IMAGE_STREAMS, type Mode, SECURITY_CONTEXT_CONSTRAINTS, servedIn } from './resources.ts';
import { createRouter } from './router/server.ts';
import { securityConstraints } from './security-constraints.ts';
import { createStore } from './store.ts';

interface LocalOpenShiftOptions {
  /** Builds, images and pods live below it. */
  readonly dir: string;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** 0 or left out takes a free one. */
  readonly ports?: { readonly api?: number; readonly router?: number; readonly control?: number };
  readonly appsDomain?: string;
  /** 1 is for people watching; smaller is faster. */
  readonly speed?: number;
  /** `openshift` by default. */
  readonly mode?: Mode;
  /** Images that lie in registries elsewhere, as folders on this machine, by reference: `nginx:1`. */
  readonly foreignImages?: Readonly<Record<string, string>>;
  /** A folder with more of them: `registry.example.com/shop@sha256:…` is a folder below it. */
  readonly imagesDir?: string;
  /** Controllers that do not run, by name, as when a controller manager is down: the API answers and nothing follows. */
  readonly without?: readonly string[];
}

export interface LocalOpenShift extends Runnable {
  /** The same port also speaks TLS, with the authority in `ca.pem` in `dir`: kubectl sends tokens only there. */
  readonly apiUrl: string;
  readonly routerUrl: string;
  readonly controlUrl: string;
  /** A bearer token with every right in the project `shop` and in projects it asks for. */
  readonly token: string;
  /** A token of anybody else; with the group `system:masters` it may everything. */
  tokenFor(user: string, groups?: readonly string[]): string;
  /** Forgets the history: watches and lists of earlier versions end in 410. */
  compact(): void;
  /** Takes effect at once; ports that open again do so a moment later. */
  setFault(fault: Fault, on: boolean): void;
}

const PROJECT = 'shop';
const USER = `system:serviceaccount:${PROJECT}:deployer`;
const CONTROLLERS: Readonly<Record<string, (cluster: Cluster) => Controller>> = {
  namespace: createNamespaceController,
  build: createBuildController,
  imageTrigger: createImageTriggerController,
  deployment: createDeploymentController,
  replicaset: createReplicaSetController,
  autoscaler: createAutoscalerController,
  job: createJobController,
  cronjob: createCronJobController,
  volumeClaim: createVolumeClaimController,
  pod: createPodController,
  endpoints: createEndpointsController,
  ingress: createIngressController,
  route: createRouteController,
  quota: createQuotaController,
  garbage: createGarbageCollector,
};

/**
 * A small OpenShift on loopback: the API, the controllers behind it, and the router in front of the applications, which
 * run as child processes of the given runner. The runner stays its owner's to close.
 */
export function createLocalOpenShift(options: LocalOpenShiftOptions): LocalOpenShift {
  const { clock, random, runner, dir, mode = 'openshift' } = options;
  const store = createStore(clock, random);
  const access = createAccess(clock, random, store);
  const token = access.issue(USER);
  const faults = new Set<Fault>();
  const faultChanged = emitter<Fault>();
  const appsDomain = options.appsDomain ?? 'apps.ocp.localhost';
  const tls = selfSignedCertificate(['127.0.0.1', 'localhost', appsDomain, `*.${appsDomain}`]);
  const cluster: Cluster = {
    store,
    clock,
    random,
    runner,
    dir,
    mode,
    served: servedIn(mode),
    access,
    faults,
    takeFault: createPassing({
      isOn: (fault) => faults.has(fault),
      end: (fault) => faults.delete(fault),
    }),
    logger: options.logger,
    onFault: faultChanged.event,
    speed: options.speed ?? 1,
    appsDomain,
    authority: tls.certificate,
    builds: createBuildRuns(),
    network: createPodNetwork(),
    podLogs: createPodLogs(),
    images: createImageFolder(
      join(dir, 'images'),
      (namespace, name, tag) =>
        store.get(IMAGE_STREAMS, namespace, name)?.status.tags?.find((entry) => entry.tag === tag)?.items[0]
          ?.image,
      options.foreignImages,
    ),
    elsewhere: imageShelf(options.imagesDir),
  };
  const caFile = join(dir, 'ca.pem');
  const api = createApiServer(cluster, options.ports?.api ?? 0, tls);
  const router = createRouter(cluster, options.ports?.router ?? 0, tls);
  const control = createControlServer(options.ports?.control ?? 0, describe, {
    list: () => [...faults],
    set: switchFault,
  });
  const controllers: Controller[] = [];
  const parts: readonly Runnable[] = [controllerPart(), router, api, control];
  /** Faults are switched one after the other, so that a port is not opened while it is being closed. */
  let switching: Promise<void> = Promise.resolve();

  function controllerPart(): Runnable {
    return {
      name: 'controllers',
      async start() {
        await mkdir(join(dir, 'images'), { recursive: true });
        await writeFile(caFile, tls.certificate);
        for (const [name, create] of Object.entries(CONTROLLERS)) {
          if (!options.without?.includes(name)) controllers.push(create(cluster));
        }
        if (cluster.served.includes(SECURITY_CONTEXT_CONSTRAINTS)) {
          for (const constraint of securityConstraints())
            store.create(SECURITY_CONTEXT_CONSTRAINTS, constraint);
        }
        createProject(cluster, PROJECT, PERSON);
      },
      async close() {
        for (const controller of controllers.splice(0).reverse()) await controller.close();
      },
    };
  }

  function describe(): Record<string, string> {
    return {
      api: url(api.port),
      secureApi: url(api.port).replace('http:', 'https:'),
      caFile,
      router: url(router.port),
      control: url(control.port),
      token,
      namespace: PROJECT,
      appsDomain: cluster.appsDomain,
    };
  }

  function switchFault(fault: Fault, on: boolean): Promise<void> {
    if (on) faults.add(fault);
    else faults.delete(fault);
    faultChanged.fire(fault);
    if (fault === 'router-frozen') router.setFrozen(on);
    switching = switching.then(async () => {
      if (fault === 'router-down') await router.setDown(on);
      if (fault === 'api-down') await api.setDown(on);
    });
    switching = switching.catch((error: unknown) => {
      options.logger?.error({ fault, error: String(error) }, 'a fault could not be switched');
    });
    return switching;
  }

  return {
    name: 'local-openshift',
    token,
    get apiUrl() {
      return url(api.port);
    },
    get routerUrl() {
      return url(router.port);
    },
    get controlUrl() {
      return url(control.port);
    },
    tokenFor: (user, groups) => access.issue(user, groups === undefined ? {} : { groups }),
    compact: () => store.compact(),
    setFault: (fault, on) => void switchFault(fault, on),
    start: () => startAll(parts),
    async close() {
      await switching;
      await closeAll(parts);
    },
  };
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}
