import type { LogDrainSettings } from '../core/log-drain.ts';
import {
  type ApplicationSettings,
  type DataSettings,
  DEFAULT_GATEWAY,
  DEFAULT_HEALTH,
  DEFAULT_PROCESS,
  DEFAULT_START_TIMEOUT_MS,
  DEFAULT_TAKE_OVER_MS,
  type GatewaySettings,
  type HealthSettings,
  type ListenSettings,
  type OutagePage,
  type PolicySettings,
  type RateLimit,
  type RouteSettings,
  type TargetSettings,
} from '../core/settings.ts';
import { parseRate } from '../core/units.ts';
import { isSecretKey } from '../lib/redact.ts';
import { type ApplicationInput, bodyRule } from './application-schema.ts';
import type { Certificates } from './certificates.ts';
import { normalPath } from './checks.ts';
import { assembleDeploy } from './deploy-schema.ts';
import { assembleDrift } from './drift-schema.ts';
import { assembleDrill } from './drill-schema.ts';
import type { GatewayInput } from './gateway-schema.ts';
import { assembleSource } from './git-schema.ts';
import { assembleImage } from './image-schema.ts';
import { assembleJob } from './job-schema.ts';
import { assembleScale } from './scale-schema.ts';
import { assembleServices, comparedServices, givenVariables } from './service-schema.ts';
import { assembleTasks } from './task-schema.ts';

/** From what was written and found sound to what the program reads: every default filled in. */
export function assembleApplication(
  name: string,
  input: ApplicationInput,
  given: {
    readonly policy: PolicySettings;
    /** Absolute. */
    readonly source: string | undefined;
    /** Of `git`, where it is a folder: absolute. */
    readonly repository: string | undefined;
    /** Did this variable's value come from `${…}`: `['env', 'DB_URL']`, below the application. */
    readonly isSecret: (path: readonly string[]) => boolean;
  },
): ApplicationSettings {
  const web = input.processes?.['web'];
  const process = {
    command: input.command ?? web?.command ?? DEFAULT_PROCESS.command,
    instances: input.instances ?? web?.instances ?? DEFAULT_PROCESS.instances,
    memoryBytes: input.memory ?? web?.memory ?? DEFAULT_PROCESS.memoryBytes,
  };
  const env = input.env ?? {};
  const services = assembleServices(input.services);
  const compared = comparedServices(input.services);
  const secretEnv = new Set(
    Object.keys(env).filter((key) => isSecretKey(key) || given.isSecret(['env', key])),
  );
  for (const [platform, target] of Object.entries(input.targets)) {
    for (const key of Object.keys(givenVariables(input.services, platform))) secretEnv.add(key);
    for (const key of Object.keys(target?.env ?? {})) {
      if (isSecretKey(key) || given.isSecret(['targets', platform, 'env', key])) secretEnv.add(key);
    }
  }
  return {
    name,
    source: assembleSource({ ...given, git: input.git }),
    ...assembleImage(input),
    process,
    ...assembleProcesses(input.processes),
    ...assembleTasks(input.tasks),
    ...(services.length === 0 ? {} : { services }),
    ...(compared.length === 0 ? {} : { comparedServices: compared }),
    env,
    secretEnv: [...secretEnv].sort(),
    health: assembleHealth(input.health),
    data: assembleData(input.data),
    routes: (input.routes ?? [{}]).map((route) => assembleRoute({ affinity: input.affinity, ...route })),
    targets: Object.entries(input.targets).map(([platform, target]) =>
      assembleTarget(platform, target, process.instances, givenVariables(input.services, platform)),
    ),
    policy: given.policy,
    startTimeoutMs: input.startTimeout ?? DEFAULT_START_TIMEOUT_MS,
    ...(input.scale === undefined ? {} : { autoscale: assembleScale(input.scale) }),
    ...(input.logs?.drain === undefined ? {} : { logDrain: defined(input.logs.drain) }),
    ...(input.deploy === undefined ? {} : { deploy: assembleDeploy(input.deploy) }),
    ...(input.drills === undefined ? {} : { drills: input.drills.map(assembleDrill) }),
    ...(input.drift === undefined ? {} : { drift: assembleDrift(input.drift) }),
  };
}

/** Without the keys that nobody wrote. */
function defined(drain: NonNullable<NonNullable<ApplicationInput['logs']>['drain']>): LogDrainSettings {
  const { to, sources, headers, ca } = drain;
  return {
    to,
    ...(sources === undefined ? {} : { sources }),
    ...(headers === undefined ? {} : { headers }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** Those that run by the clock are jobs: nothing that keeps processes running has to know of them. */
function assembleProcesses(
  input: ApplicationInput['processes'],
): Pick<ApplicationSettings, 'processes' | 'jobs'> {
  const others = Object.entries(input ?? {}).filter(([name]) => name !== 'web');
  const jobs = others.flatMap(([name, given]) =>
    given?.schedule === undefined ? [] : [assembleJob(name, given.schedule, given)],
  );
  const processes = others.flatMap(([name, given]) =>
    given?.schedule === undefined
      ? [
          {
            name,
            command: given?.command ?? '',
            instances: given?.instances ?? DEFAULT_PROCESS.instances,
            memoryBytes: given?.memory ?? DEFAULT_PROCESS.memoryBytes,
            runOn: given?.runOn ?? 'all',
            takeOverMs: given?.takeOver ?? DEFAULT_TAKE_OVER_MS,
          },
        ]
      : [],
  );
  return {
    ...(processes.length === 0 ? {} : { processes }),
    ...(jobs.length === 0 ? {} : { jobs }),
  };
}

function assembleData(input: ApplicationInput['data']): DataSettings {
  const { writes = 'anywhere', writer = '', promote, promoteTimeout } = input ?? {};
  if (writes !== 'single') return { writes };
  return {
    writes,
    writer,
    ...(promote === undefined ? {} : { promote }),
    ...(promoteTimeout === undefined ? {} : { promoteTimeoutMs: promoteTimeout }),
  };
}

function assembleHealth(input: ApplicationInput['health']): HealthSettings {
  const { header, json } = input?.release ?? {};
  const deep = input?.deep;
  return {
    path: input?.probe === 'tcp' ? undefined : (input?.path ?? DEFAULT_HEALTH.path),
    everyMs: input?.every ?? DEFAULT_HEALTH.everyMs,
    timeoutMs: input?.timeout ?? DEFAULT_HEALTH.timeoutMs,
    fall: input?.fall ?? DEFAULT_HEALTH.fall,
    rise: input?.rise ?? DEFAULT_HEALTH.rise,
    status: input?.status ?? DEFAULT_HEALTH.status,
    release:
      header !== undefined ? { header: header.toLowerCase() } : json !== undefined ? { json } : undefined,
    ...(input?.body === undefined ? {} : { body: bodyRule(input.body) }),
    ...(input?.headers === undefined ? {} : { headers: lowerCased(input.headers) }),
    ...(deep === undefined
      ? {}
      : { deep: { path: deep.path, everyMs: deep.every ?? 10_000, timeoutMs: deep.timeout ?? 2_000 } }),
  };
}

function lowerCased(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
}

function assembleRoute(input: RouteInput): RouteSettings {
  const host = (input.host ?? '*').toLowerCase();
  return {
    host,
    path: normalPath(input.path ?? '/'),
    // Whoever names a host owns it, and the application wants to see it; a gateway for any host cannot know one.
    publicHost: input.publicHost ?? (host === '*' ? 'rewrite' : 'map'),
    retry: input.retry ?? 'safe',
    ...(input.affinity === true ? { affinity: true } : {}),
    ...(input.priority === undefined ? {} : { priority: input.priority }),
    ...(input.rateLimit === undefined ? {} : { rateLimit: assembleRateLimit(input.rateLimit) }),
  };
}

type RouteInput = NonNullable<ApplicationInput['routes']>[number];

function assembleRateLimit(input: NonNullable<RouteInput['rateLimit']>): RateLimit {
  const given = typeof input === 'string' ? { rps: ratePerSecond(input) } : input;
  const by = given.by?.toLowerCase() ?? 'address';
  return {
    rps: given.rps,
    burst: given.burst ?? Math.max(1, Math.ceil(given.rps)),
    by: by === 'address' ? 'address' : { field: by },
  };
}

/** The schema has found it sound. */
function ratePerSecond(text: string): number {
  const parsed = parseRate(text);
  return parsed.ok ? parsed.value.rps : 1;
}

function assembleTarget(
  platform: string,
  input: ApplicationInput['targets'][string],
  instances: number,
  given: Readonly<Record<string, string>>,
): TargetSettings {
  const { capacity, standby, maxInstances, cost } = input ?? {};
  const waits = standby !== undefined && standby !== 'hot';
  const size = input?.instances ?? (standby === 'pilot-light' ? 1 : instances);
  return {
    platform,
    tier: input?.tier ?? (waits ? 2 : 1),
    weight: input?.weight ?? 1,
    instances: standby === 'cold' ? 0 : size,
    ...(standby === 'cold' ? { wakesTo: Math.max(1, size) } : {}),
    ...(input?.buildOn === undefined ? {} : { buildOn: input.buildOn }),
    ...(input?.command === undefined ? {} : { command: input.command }),
    ...(input?.memory === undefined ? {} : { memoryBytes: input.memory }),
    env: { ...given, ...input?.env },
    capacityRpsPerInstance: capacity?.perInstance === true ? capacity.rps : undefined,
    capacityRps: capacity?.perInstance === false ? capacity.rps : undefined,
    ...(standby === undefined ? {} : { standby }),
    ...(maxInstances === undefined ? {} : { maxInstances }),
    ...(cost === undefined ? {} : { costPerInstanceHour: cost }),
  };
}

export function assembleGateway(
  input: GatewayInput | undefined,
  read: Pick<Certificates, 'listen' | 'upstream'> & {
    /** Absolute, or `-`. */
    readonly accessLogFile: string | undefined;
    readonly outage: readonly OutagePage[];
  },
): GatewaySettings {
  const { admin, limits, timeouts, retryBudget, stall, ejection, http2 } = input ?? {};
  const standard = DEFAULT_GATEWAY;
  return {
    wire: input?.wire ?? standard.wire,
    workers: input?.workers ?? standard.workers,
    listen: input?.listen?.map((one, i) => assembleListen(one, read.listen[i])) ?? standard.listen,
    admin: {
      host: admin?.host ?? standard.admin.host,
      port: admin?.port ?? standard.admin.port,
      tokens: Object.fromEntries(
        Object.entries(admin?.tokens ?? {}).map(([name, { token, role }]) => [
          name,
          { token, role: role ?? 'read' },
        ]),
      ),
    },
    limits: {
      headBytes: limits?.head ?? standard.limits.headBytes,
      bodyBytes: limits?.body ?? standard.limits.bodyBytes,
      replayBytes: limits?.replay ?? standard.limits.replayBytes,
      perOrigin: limits?.perOrigin ?? standard.limits.perOrigin,
      queue: limits?.queue ?? standard.limits.queue,
      targetBytes: limits?.target ?? standard.limits.targetBytes,
      fields: limits?.fields ?? standard.limits.fields,
      perAddress: limits?.perAddress ?? standard.limits.perAddress,
      perConnection: limits?.perConnection ?? standard.limits.perConnection,
      minRate: limits?.minRate ?? standard.limits.minRate,
    },
    timeouts: {
      connectMs: timeouts?.connect ?? standard.timeouts.connectMs,
      headMs: timeouts?.head ?? standard.timeouts.headMs,
      idleMs: timeouts?.idle ?? standard.timeouts.idleMs,
      upstreamKeepAliveMs: timeouts?.upstreamKeepAlive ?? standard.timeouts.upstreamKeepAliveMs,
      clientKeepAliveMs: timeouts?.clientKeepAlive ?? standard.timeouts.clientKeepAliveMs,
      drainMs: timeouts?.drain ?? standard.timeouts.drainMs,
      stopDelayMs: timeouts?.stopDelay ?? standard.timeouts.stopDelayMs,
      headerMs: timeouts?.header ?? standard.timeouts.headerMs,
      queueMs: timeouts?.queue ?? standard.timeouts.queueMs,
      upgradeMs: timeouts?.upgrade ?? standard.timeouts.upgradeMs,
      dnsMs: timeouts?.dns ?? standard.timeouts.dnsMs,
    },
    retryBudget: {
      ratio: retryBudget?.ratio ?? standard.retryBudget.ratio,
      min: retryBudget?.min ?? standard.retryBudget.min,
    },
    stall: {
      floorMs: stall?.floor ?? standard.stall.floorMs,
      p99Factor: stall?.p99Factor ?? standard.stall.p99Factor,
      probeMs: stall?.probe ?? standard.stall.probeMs,
    },
    ejection: {
      consecutive: ejection?.consecutive ?? standard.ejection.consecutive,
      failureRatio: ejection?.failureRatio ?? standard.ejection.failureRatio,
      minRequests: ejection?.minRequests ?? standard.ejection.minRequests,
      windowMs: ejection?.window ?? standard.ejection.windowMs,
      baseMs: ejection?.base ?? standard.ejection.baseMs,
      maxMs: ejection?.max ?? standard.ejection.maxMs,
    },
    trustedProxies: input?.trustedProxies ?? standard.trustedProxies,
    http2: {
      maxConcurrentStreams: http2?.maxConcurrentStreams ?? standard.http2.maxConcurrentStreams,
      resetsPerSecond: http2?.resetsPerSecond ?? standard.http2.resetsPerSecond,
      controlFramesPerSecond: http2?.controlFramesPerSecond ?? standard.http2.controlFramesPerSecond,
      headerListBytes: http2?.headerList ?? standard.http2.headerListBytes,
    },
    ...(input?.affinity === undefined ? {} : { affinityKey: input.affinity.key }),
    ...(input?.accessLog === undefined
      ? {}
      : { accessLog: { format: input.accessLog.format ?? 'json', file: read.accessLogFile ?? '-' } }),
    ...(read.outage.length === 0 ? {} : { outage: read.outage }),
    ...(Object.keys(read.upstream).length === 0 ? {} : { upstreamTls: read.upstream }),
  };
}

function assembleListen(
  { host, port, http2 }: NonNullable<GatewayInput['listen']>[number],
  tls: ListenSettings['tls'],
): ListenSettings {
  return {
    host: host ?? '0.0.0.0',
    port,
    ...(tls === undefined ? {} : { tls }),
    ...(http2 === undefined ? {} : { http2 }),
  };
}
