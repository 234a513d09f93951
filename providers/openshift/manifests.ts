import type { ApplicationName } from '../../src/core/ids.ts';
import type { OtherProcessSpec, TargetSpec } from '../../src/core/provider.ts';
import type { TaskSpec } from '../../src/core/task-power.ts';
import type { Manifest } from './client.ts';
import type { Options } from './config.ts';
import { containerMounts, exclusiveMount, mountsBeside, type PlacedSpec, podVolumes } from './mounts.ts';
import * as names from './names.ts';
import { pullSecretsOf } from './registry.ts';
import {
  BUILD_CONFIG,
  DEPLOYMENT,
  IMAGE_STREAM,
  INGRESS,
  JOB,
  type Resource,
  ROUTE,
  SECRET,
  SERVICE,
} from './resources.ts';
import type { Deployment, PodTemplate } from './wire.ts';

/** No port below 1024: restricted-v2 runs containers as a user without rights. */
const PORT = 8080;
/** Longer than a router takes to drop a pod that is going (its reload interval and the endpoint's way there). */
const DRAIN_SECONDS = 10;
const STOP_SECONDS = 30;

/** How many instances, or that the number is an autoscaler's and not a field of ours. */
export type Replicas = number | 'autoscaled';

/** Pure: what we want the platform to hold. The same wish gives the same bytes. */
export function imageStream(application: ApplicationName): Manifest {
  return manifest(IMAGE_STREAM, application, names.ownerLabels(application), {
    // The template names the image in full; nobody needs the short name.
    spec: { lookupPolicy: { local: false } },
  });
}

export function buildConfig(want: TargetSpec, builder: string): Manifest {
  const name = names.buildConfigName(want.application, want.release.id);
  return {
    ...manifest(BUILD_CONFIG, name, names.releaseLabels(want), {
      spec: {
        runPolicy: 'Serial',
        source: { type: 'Binary', binary: {} },
        strategy: { type: 'Source', sourceStrategy: { from: builderReference(builder) } },
        output: { to: { kind: 'ImageStreamTag', name: imageTag(want.application, want.release.id) } },
        successfulBuildsHistoryLimit: 2,
        failedBuildsHistoryLimit: 2,
      },
    }),
  };
}

export function imageTag(application: ApplicationName, release: string): string {
  return `${application}:${release}`;
}

/** A first part with a dot, a port or `localhost` is a registry's host, as docker reads references. */
export function builderReference(builder: string): Record<string, string> {
  const slash = builder.indexOf('/');
  const first = slash < 0 ? '' : builder.slice(0, slash);
  if (/[.:]/.test(first) || first === 'localhost') return { kind: 'DockerImage', name: builder };
  const name = slash < 0 ? builder : builder.slice(slash + 1);
  const tagged = name.includes(':') ? name : `${name}:latest`;
  return { kind: 'ImageStreamTag', name: tagged, ...(first === '' ? {} : { namespace: first }) };
}

export function secret(want: TargetSpec): Manifest {
  const data: Record<string, string> = {};
  for (const key of Object.keys(want.env).sort()) {
    data[key] = Buffer.from(want.env[key] ?? '').toString('base64');
  }
  const name = names.secretName(want.application, want.release.id, want.env);
  return manifest(SECRET, name, names.releaseLabels(want), { type: 'Opaque', data });
}

/** `retry` differs from attempt to attempt of one release, so that a new attempt is a new rollout with a new deadline. */
export function deployment(
  want: PlacedSpec,
  image: string,
  retry: string | undefined,
  replicas: Replicas = want.process.instances,
): Manifest {
  const template = {
    metadata: {
      labels: { ...names.releaseLabels(want), ...names.instanceLabels(want.application) },
      annotations: {
        [names.NUMBER]: String(want.release.number),
        ...(retry === undefined ? {} : { [names.RETRY]: retry }),
      },
    },
    spec: podSpec(want, image),
  };
  const deadline = Math.max(1, Math.ceil(want.health.startTimeoutMs / 1_000));
  const isExclusive = exclusiveMount(want) !== undefined;
  return {
    ...manifest(
      DEPLOYMENT,
      want.application,
      names.releaseLabels(want),
      { spec: deploymentSpec(want.application, replicas, deadline, template, isExclusive) },
      { [names.NUMBER]: String(want.release.number) },
    ),
  };
}

/** The Deployment with a template it had before, under our name, and a note of the release that failed on it. */
export function restoredDeployment(
  broken: Deployment,
  application: ApplicationName,
  to: { template: PodTemplate; replicas: Replicas },
  failed: { release: string; reason: string },
): Manifest {
  const { template } = to;
  const { 'pod-template-hash': _hash, ...labels } = template.metadata.labels;
  const { creationTimestamp: _never, ...metadata } = template.metadata;
  const release = labels[names.RELEASE] ?? '';
  const number = template.metadata.annotations[names.NUMBER] ?? '';
  return manifest(
    DEPLOYMENT,
    application,
    { ...names.ownerLabels(application), [names.RELEASE]: release },
    {
      spec: deploymentSpec(
        application,
        to.replicas,
        broken.spec.progressDeadlineSeconds,
        { ...template, metadata: { ...metadata, labels } },
        broken.spec.strategy?.type === 'Recreate',
      ),
    },
    { [names.NUMBER]: number, [names.FAILED_RELEASE]: failed.release, [names.FAILED_REASON]: failed.reason },
  );
}

/** No port, no probe, no route; the old instances end before new ones start, so that no work is done twice. */
export function processDeployment(
  want: PlacedSpec,
  process: OtherProcessSpec,
  { image, replicas }: { readonly image: string; readonly replicas: number },
): Manifest {
  const labels = names.groupLabels(want.application, process.name);
  const memory = mebibytes(process.memoryBytes);
  return manifest(
    DEPLOYMENT,
    names.processName(want.application, process.name),
    { ...names.releaseLabels(want), ...labels },
    {
      spec: {
        replicas,
        progressDeadlineSeconds: Math.max(1, Math.ceil(want.health.startTimeoutMs / 1_000)),
        revisionHistoryLimit: 2,
        selector: { matchLabels: labels },
        strategy: { type: 'Recreate' },
        template: {
          metadata: {
            labels: { ...names.releaseLabels(want), ...labels },
            annotations: { [names.NUMBER]: String(want.release.number) },
          },
          spec: {
            ...pullSecretsOf(want),
            ...podVolumes(mountsBeside(want)),
            terminationGracePeriodSeconds: STOP_SECONDS,
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                name: process.name,
                image,
                ...containerMounts(mountsBeside(want)),
                command: shellCommand(process.command),
                envFrom: [
                  { secretRef: { name: names.secretName(want.application, want.release.id, want.env) } },
                ],
                resources: { requests: { memory }, limits: { memory } },
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              },
            ],
          },
        },
      },
    },
    { [names.NUMBER]: String(want.release.number) },
  );
}

/** Long enough for whoever ordered it to come back and read how it ended. */
const JOB_KEPT_SECONDS = 7 * 24 * 3_600;

/** Tried once: whether a migration that failed may run again, a person decides. */
export function job(want: PlacedSpec, task: TaskSpec, image: string): Manifest {
  const labels = { ...names.releaseLabels(want), [names.RUN]: task.run };
  const memory = mebibytes(task.memoryBytes);
  return manifest(JOB, names.jobName(want.application, task), labels, {
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.max(1, Math.ceil(task.timeoutMs / 1_000)),
      ttlSecondsAfterFinished: JOB_KEPT_SECONDS,
      template: {
        metadata: { labels },
        spec: {
          ...pullSecretsOf(want),
          restartPolicy: 'Never',
          ...podVolumes(mountsBeside(want)),
          terminationGracePeriodSeconds: STOP_SECONDS,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'task',
              image,
              ...containerMounts(mountsBeside(want)),
              command: shellCommand(task.command),
              envFrom: [
                { secretRef: { name: names.secretName(want.application, want.release.id, want.env) } },
              ],
              resources: { requests: { memory }, limits: { memory } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  });
}

function mebibytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1_048_576))}Mi`;
}

function deploymentSpec(
  application: ApplicationName,
  replicas: Replicas,
  deadline: number,
  template: object,
  isExclusive: boolean,
): object {
  return {
    ...(replicas === 'autoscaled' ? {} : { replicas }),
    progressDeadlineSeconds: deadline,
    revisionHistoryLimit: 5,
    selector: { matchLabels: names.instanceLabels(application) },
    // Make before break: nothing old goes until something new is ready. A volume that one node may have at a time forbids
    // it: on another node the new instance would wait for the old one, which waits for the new one.
    strategy: isExclusive
      ? { type: 'Recreate' }
      : { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template,
  };
}

function podSpec(want: PlacedSpec, image: string): object {
  const { mounts = [] } = want;
  const memory = mebibytes(want.process.memoryBytes);
  const probe =
    want.health.path === undefined
      ? { tcpSocket: { port: 'http' } }
      : { httpGet: { path: want.health.path, port: 'http' } };
  return {
    ...pullSecretsOf(want),
    ...podVolumes(mounts),
    terminationGracePeriodSeconds: DRAIN_SECONDS + STOP_SECONDS,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'web',
        image,
        // Without a command the image's own runs: for a built image that is what its builder chose.
        ...(want.process.command === '' ? {} : { command: shellCommand(want.process.command) }),
        // Named one by one they win over the Secret, so nobody's PORT can part the app from its Service.
        env: [{ name: 'PORT', value: String(PORT) }],
        envFrom: [{ secretRef: { name: names.secretName(want.application, want.release.id, want.env) } }],
        ...containerMounts(mounts),
        ports: [{ name: 'http', containerPort: PORT, protocol: 'TCP' }],
        readinessProbe: { ...probe, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 },
        // Routers still send for a while after a pod was told to go: it must go on answering meanwhile.
        lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', `sleep ${DRAIN_SECONDS}`] } } },
        resources: { requests: { memory }, limits: { memory } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
}

/** Kubernetes reads `$(NAME)` and `$$` in commands for itself; with a dollar more they reach the shell as they were. */
function shellCommand(command: string): readonly string[] {
  const escaped = command.replace(/\$\$|\$(?=\([A-Za-z_][\w.-]*\))/g, (dollars) => dollars + dollars);
  return ['/bin/sh', '-c', escaped];
}

/** What `shellCommand` was given; empty where the image's own command runs. */
export function commandOf(words: readonly string[]): string {
  return (words[2] ?? '').replaceAll('$$', () => '$');
}

export function service(application: ApplicationName): Manifest {
  return manifest(SERVICE, application, names.ownerLabels(application), {
    spec: {
      selector: names.instanceLabels(application),
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
    },
  });
}

export interface RoutingSite {
  readonly options: Options;
  readonly routing: Resource<unknown>;
}

/** The application's own route and one for each public host the platform shall know. */
export function routes(want: TargetSpec, site: RoutingSite): readonly Manifest[] {
  const { application } = want;
  const own = site.options.routeHost?.replaceAll('{application}', application);
  const made = [route(application, application, own, site)];
  for (const host of want.hosts) {
    // A wildcard is the gateway's matter; a router wants names.
    if (!host.includes('*'))
      made.push(route(application, names.hostRouteName(application, host), host, site));
  }
  return made;
}

function route(
  application: ApplicationName,
  name: string,
  host: string | undefined,
  { options, routing }: RoutingSite,
): Manifest {
  // Where we ourselves come over plain HTTP, a redirect would be all that we ever get.
  const plain = options.router?.startsWith('http:') ?? false;
  if (routing.kind === INGRESS.kind)
    return manifest(
      INGRESS,
      name,
      names.ownerLabels(application),
      ingressSpec(application, host, plain, options),
    );
  return manifest(ROUTE, name, names.ownerLabels(application), {
    spec: {
      ...(host === undefined ? {} : { host }),
      to: { kind: 'Service', name: application, weight: 100 },
      port: { targetPort: 'http' },
      tls: { termination: 'edge', insecureEdgeTerminationPolicy: plain ? 'Allow' : 'Redirect' },
    },
  });
}

/** Nobody chooses a host there but we; without one of its certificates the ingress controller shows its own. */
function ingressSpec(
  application: ApplicationName,
  host: string | undefined,
  plain: boolean,
  { ingress }: Options,
): Record<string, unknown> {
  const backend = { service: { name: application, port: { name: 'http' } } };
  const secret = ingress.tlsSecret === undefined ? {} : { secretName: ingress.tlsSecret };
  return {
    spec: {
      ...(ingress.class === undefined ? {} : { ingressClassName: ingress.class }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      ...(plain ? {} : { tls: [{ hosts: [host], ...secret }] }),
    },
  };
}

function manifest(
  resource: Resource<unknown>,
  name: string,
  labels: Record<string, string>,
  parts: Record<string, unknown>,
  annotations?: Record<string, string>,
): Manifest {
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: { name, labels, ...(annotations === undefined ? {} : { annotations }) },
    ...parts,
  };
}
