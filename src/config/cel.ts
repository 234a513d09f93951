import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { TargetFacts } from '../core/facts.ts';
import type { Predicate, PredicateSubject } from '../core/predicate.ts';

/** What conditions may say of a target. All numbers are doubles; a field that is not known is left out. */
const TARGET = {
  name: 'string',
  tier: 'double',
  state: 'string',
  up: 'bool',
  down: 'bool',
  degraded: 'bool',
  unknown: 'bool',
  cause: 'string',
  share: 'double',
  rps: 'double',
  error_ratio: 'double',
  p50_ms: 'double',
  p95_ms: 'double',
  ewma_ms: 'double',
  availability: 'double',
  capacity_rps: 'double',
  running: 'double',
  desired: 'double',
  api_reachable: 'bool',
  quota_headroom: 'double',
  cost: 'double',
  flapping: 'bool',
  certificate_days: 'double',
} as const;

/** … and of the application as a whole. */
const APP = {
  name: 'string',
  demand_rps: 'double',
  error_ratio_10s: 'double',
  error_ratio_60s: 'double',
  error_ratio_5m: 'double',
  error_ratio_30m: 'double',
  error_ratio_1h: 'double',
  error_ratio_6h: 'double',
  seconds_since_release: 'double',
  healthy_capacity_rps: 'double',
  frozen: 'bool',
} as const;

type Known<T> = { [K in keyof T]?: string | number | boolean | undefined };

/** Bounds what a condition may cost; nobody writes a longer one by hand. */
const LIMITS = {
  maxAstNodes: 200,
  maxDepth: 24,
  maxListElements: 50,
  maxMapEntries: 10,
  maxCallArguments: 8,
};

const environment = new Environment({ unlistedVariablesAreDyn: false, limits: LIMITS })
  .registerVariable({ name: 'target', schema: TARGET })
  .registerVariable({ name: 'app', schema: APP })
  .registerType({ name: 'Target', schema: TARGET })
  .registerVariable('targets', 'list<Target>');

export type CompiledCel =
  | { readonly ok: true; readonly predicate: Predicate }
  | { readonly ok: false; readonly fault: string };

/**
 * Compiles a condition in CEL over `target`, `targets` and `app`. Types are checked here, so that at run time only a
 * value that is not known can be missing; then the condition does not hold.
 */
export function compileCel(text: string): CompiledCel {
  const checked = environment.check(text);
  if (!checked.valid) return { ok: false, fault: firstLine(checked.error?.message) };
  if (checked.type !== 'bool') return { ok: false, fault: `it gives ${checked.type}, not true or false` };
  const evaluate = environment.parse(text);
  return {
    ok: true,
    predicate: {
      text,
      perTarget: mentionsTarget(evaluate.ast),
      holds(subject) {
        try {
          return evaluate(contextOf(subject)) === true;
        } catch {
          // What is not known neither holds nor fails.
          return false;
        }
      },
    },
  };
}

function firstLine(message: string | undefined): string {
  return message?.split('\n', 1)[0] ?? 'not a condition';
}

function mentionsTarget(node: ASTNode): boolean {
  const { op, args } = node;
  if (op === 'id') return args === 'target';
  const inner: readonly unknown[] = Array.isArray(args) ? args.flat(2) : [args];
  return inner.some((one) => isNode(one) && mentionsTarget(one));
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function contextOf(subject: PredicateSubject): Record<string, unknown> {
  const { facts, platform } = subject;
  const target = facts.targets.find((one) => one.platform === platform);
  return {
    app: known(appOf(subject)),
    targets: facts.targets.map((one) => known(targetOf(one, subject))),
    ...(target === undefined ? {} : { target: known(targetOf(target, subject)) }),
  };
}

function targetOf(target: TargetFacts, { state }: PredicateSubject): Known<typeof TARGET> {
  const { platform, tier, verdict, traffic, signals, instances, availability, capacityRps } = target;
  return {
    name: platform,
    tier,
    state: verdict.state,
    up: verdict.state === 'up' || verdict.state === 'degraded',
    down: verdict.state === 'down',
    degraded: verdict.state === 'degraded',
    unknown: verdict.state === 'unknown',
    cause: verdict.cause,
    share: state.shares[platform] ?? 0,
    rps: traffic.rps,
    error_ratio: traffic.attempts === 0 ? undefined : traffic.failed / traffic.attempts,
    p50_ms: signals?.latency?.p50Ms,
    p95_ms: traffic.p95Ms > 0 ? traffic.p95Ms : undefined,
    ewma_ms: signals?.latency?.ewmaMs,
    availability,
    capacity_rps: capacityRps,
    running: instances?.running,
    desired: instances?.desired,
    api_reachable: signals?.platform?.apiReachable,
    quota_headroom: signals?.platform?.quotaHeadroom,
    cost: target.costPerInstanceHour,
    flapping: state.targets[platform]?.flapping === true,
    certificate_days: signals?.tls?.daysToExpiry,
  };
}

function appOf({ facts, state, now }: PredicateSubject): Known<typeof APP> {
  const { errorRatio, releasedAt } = facts;
  const healthy = facts.targets.filter(
    ({ verdict }) => verdict.state === 'up' || verdict.state === 'degraded',
  );
  const capacities = healthy.map(
    ({ capacityRps, availability }) => (capacityRps ?? Number.NaN) * availability,
  );
  const sum = capacities.reduce((total, one) => total + one, 0);
  return {
    name: facts.application,
    demand_rps: facts.demandRps,
    error_ratio_10s: errorRatio?.['10s'],
    error_ratio_60s: errorRatio?.['60s'],
    error_ratio_5m: errorRatio?.['5m'],
    error_ratio_30m: errorRatio?.['30m'],
    error_ratio_1h: errorRatio?.['1h'],
    error_ratio_6h: errorRatio?.['6h'],
    seconds_since_release: releasedAt === undefined ? undefined : (now - releasedAt) / 1000,
    healthy_capacity_rps: Number.isNaN(sum) ? undefined : sum,
    frozen: state.frozen !== undefined,
  };
}

function known<T>(fields: Known<T>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
