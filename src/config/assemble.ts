import {
  type ApplicationSettings,
  DEFAULT_GATEWAY,
  DEFAULT_HEALTH,
  DEFAULT_PROCESS,
  DEFAULT_START_TIMEOUT_MS,
  type GatewaySettings,
  type HealthSettings,
  type PolicySettings,
  type RouteSettings,
  type TargetSettings,
} from '../core/settings.ts';
import { isSecretKey } from '../lib/redact.ts';
import type { ApplicationInput } from './application-schema.ts';
import { normalPath } from './checks.ts';
import type { GatewayInput } from './gateway-schema.ts';

/** From what was written and found sound to what the program reads: every default filled in. */
export function assembleApplication(
  name: string,
  input: ApplicationInput,
  given: {
    readonly policy: PolicySettings;
    /** Absolute. */
    readonly source: string | undefined;
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
  const secretEnv = new Set(
    Object.keys(env).filter((key) => isSecretKey(key) || given.isSecret(['env', key])),
  );
  for (const [platform, target] of Object.entries(input.targets)) {
    for (const key of Object.keys(target?.env ?? {})) {
      if (isSecretKey(key) || given.isSecret(['targets', platform, 'env', key])) secretEnv.add(key);
    }
  }
  return {
    name,
    source: given.source === undefined ? undefined : { kind: 'folder', path: given.source },
    process,
    env,
    secretEnv: [...secretEnv].sort(),
    health: assembleHealth(input.health),
    data: { writes: 'anywhere' },
    routes: (input.routes ?? [{}]).map(assembleRoute),
    targets: Object.entries(input.targets).map(([platform, target]) =>
      assembleTarget(platform, target, process.instances),
    ),
    policy: given.policy,
    startTimeoutMs: input.startTimeout ?? DEFAULT_START_TIMEOUT_MS,
  };
}

function assembleHealth(input: ApplicationInput['health']): HealthSettings {
  const { header, json } = input?.release ?? {};
  return {
    path: input?.probe === 'tcp' ? undefined : (input?.path ?? DEFAULT_HEALTH.path),
    everyMs: input?.every ?? DEFAULT_HEALTH.everyMs,
    timeoutMs: input?.timeout ?? DEFAULT_HEALTH.timeoutMs,
    fall: input?.fall ?? DEFAULT_HEALTH.fall,
    rise: input?.rise ?? DEFAULT_HEALTH.rise,
    status: input?.status ?? DEFAULT_HEALTH.status,
    release:
      header !== undefined ? { header: header.toLowerCase() } : json !== undefined ? { json } : undefined,
  };
}

function assembleRoute(input: NonNullable<ApplicationInput['routes']>[number]): RouteSettings {
  const host = (input.host ?? '*').toLowerCase();
  return {
    host,
    path: normalPath(input.path ?? '/'),
    // Whoever names a host owns it, and the application wants to see it; a gateway for any host cannot know one.
    publicHost: input.publicHost ?? (host === '*' ? 'rewrite' : 'map'),
    retry: input.retry ?? 'safe',
  };
}

function assembleTarget(
  platform: string,
  input: ApplicationInput['targets'][string],
  instances: number,
): TargetSettings {
  const capacity = input?.capacity;
  return {
    platform,
    tier: input?.tier ?? 1,
    weight: input?.weight ?? 1,
    instances: input?.instances ?? instances,
    env: input?.env ?? {},
    capacityRpsPerInstance: capacity?.perInstance === true ? capacity.rps : undefined,
    capacityRps: capacity?.perInstance === false ? capacity.rps : undefined,
  };
}

export function assembleGateway(input: GatewayInput | undefined): GatewaySettings {
  const { admin, limits, timeouts, retryBudget, stall, ejection } = input ?? {};
  const standard = DEFAULT_GATEWAY;
  return {
    wire: input?.wire ?? standard.wire,
    workers: input?.workers ?? standard.workers,
    listen: input?.listen?.map(({ host, port }) => ({ host: host ?? '0.0.0.0', port })) ?? standard.listen,
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
      ...standard.limits,
      headBytes: limits?.head ?? standard.limits.headBytes,
      bodyBytes: limits?.body ?? standard.limits.bodyBytes,
      replayBytes: limits?.replay ?? standard.limits.replayBytes,
      perOrigin: limits?.perOrigin ?? standard.limits.perOrigin,
    },
    timeouts: {
      ...standard.timeouts,
      connectMs: timeouts?.connect ?? standard.timeouts.connectMs,
      headMs: timeouts?.head ?? standard.timeouts.headMs,
      idleMs: timeouts?.idle ?? standard.timeouts.idleMs,
      upstreamKeepAliveMs: timeouts?.upstreamKeepAlive ?? standard.timeouts.upstreamKeepAliveMs,
      clientKeepAliveMs: timeouts?.clientKeepAlive ?? standard.timeouts.clientKeepAliveMs,
      drainMs: timeouts?.drain ?? standard.timeouts.drainMs,
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
    http2: standard.http2,
  };
}
