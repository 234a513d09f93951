import type { Predicate } from '../core/predicate.ts';
import type { ApplicationSettings, PolicySettings, TargetSettings } from '../core/settings.ts';
import { remedyFor } from './did-you-mean.ts';
import { type Fault, valueFault, warning } from './fault.ts';
import type { Path } from './path.ts';

/**
 * What is sound by itself and makes no sense together: rules that can never act, tiers nobody reaches, floors that
 * cannot be measured. `path` is where the application stands.
 */
export function lintPolicy(application: ApplicationSettings, path: Path): readonly Fault[] {
  const { policy, targets } = application;
  const at = [...path, 'policy'];
  return [
    ...foreignNames(policy, targets, at),
    ...inertRules(policy, at),
    ...unreachable(policy, targets, [...path, 'targets']),
    ...unmeasurable(policy, targets, at),
    ...contradictions(policy, at),
    ...blindSpots(application, path),
    ...idlePriorities(application, path),
    ...idleStickiness(application, path),
  ];
}

function foreignNames(
  policy: PolicySettings,
  targets: readonly TargetSettings[],
  at: Path,
): readonly Fault[] {
  const names = targets.map(({ platform }) => platform);
  const said = [
    ...(policy.primary?.order ?? []).map((name) => ({ name, where: 'primary.order' })),
    ...(policy.maintenance ?? []).map(({ platform }) => ({ name: platform, where: 'maintenance' })),
  ];
  return said
    .filter(({ name }) => !names.includes(name))
    .map(({ name, where }) =>
      valueFault(at, `${where} names ${name}, which is no target here`, remedyFor(name, names)),
    );
}

/** A condition without any name in it is always the same. */
function isConstant({ text }: Predicate): boolean {
  return !/\b(target|targets|app)\b/.test(text);
}

function inertRules({ rules = [] }: PolicySettings, at: Path): readonly Fault[] {
  return rules.flatMap(({ name, when, act }) => {
    if (isConstant(when)) {
      return [
        warning(at, `the rule "${name}" holds always or never`, 'let it speak of target, targets or app'),
      ];
    }
    if (act.kind === 'shift' && act.by <= 0) {
      return [warning(at, `the rule "${name}" shifts nothing`, 'give a part above 0')];
    }
    return [];
  });
}

function unreachable(policy: PolicySettings, targets: readonly TargetSettings[], at: Path): readonly Fault[] {
  const tiers = new Set(targets.map(({ tier }) => tier));
  const { strategy, primary } = policy;
  if (strategy === 'primary' && primary?.switch === 'strict' && targets.length > 1) {
    const first = primary.order[0] ?? targets[0]?.platform ?? '';
    return [
      warning(
        at,
        `with \`switch: strict\` nobody but ${first} ever serves`,
        'use failover or best, or one target',
      ),
    ];
  }
  if ((strategy === 'weighted' || strategy === 'primary') && tiers.size > 1) {
    return [warning(at, `tiers mean little to \`strategy: ${strategy}\``, 'use tiered, or leave them out')];
  }
  if (strategy === 'tiered' || strategy === 'weighted') {
    const idle = targets.filter(
      ({ weight, tier }) => weight === 0 && targets.some((t) => t.tier === tier && t.weight > 0),
    );
    return idle.map(({ platform }) =>
      warning(
        [...at, platform],
        'weight 0: it serves only when nobody else of its tier can',
        'give it a weight',
      ),
    );
  }
  return [];
}

/** What counts requests per second needs to know how many a target carries. */
function unmeasurable(
  policy: PolicySettings,
  targets: readonly TargetSettings[],
  at: Path,
): readonly Fault[] {
  const unknown = targets.filter(
    (t) => t.capacityRps === undefined && t.capacityRpsPerInstance === undefined,
  );
  const costless = targets.every((t) => t.costPerInstanceHour === undefined);
  const faults: Fault[] = [];
  if (unknown.length > 0) {
    const names = unknown.map(({ platform }) => platform).join(', ');
    const remedy = `give ${names} a \`capacity\``;
    for (const { name, kind } of policy.safety ?? []) {
      if (kind === 'floor')
        faults.push(warning(at, `the floor "${name}" is always met: a capacity is unknown`, remedy));
    }
    if (policy.overload === 'shed')
      faults.push(warning(at, '`overload: shed` never sheds: a capacity is unknown', remedy));
    if (policy.panic?.mode === 'shed')
      faults.push(warning(at, '`panic: shed` never sheds: a capacity is unknown', remedy));
  }
  if (policy.cost !== undefined && costless) {
    faults.push(
      warning(at, '`cost` decides nothing: no target says what it costs', 'give the targets a `cost`'),
    );
  }
  if (policy.scale?.withFailover === true && targets.every((t) => t.maxInstances === undefined)) {
    faults.push(warning(at, 'nothing can grow: no target has `maxInstances`', 'say how far each may grow'));
  }
  return faults;
}

/** Nobody has a session that could stay or go. */
function idleStickiness({ routes, policy }: ApplicationSettings, path: Path): readonly Fault[] {
  if (policy.stickiness === undefined || routes.some(({ affinity }) => affinity === true)) return [];
  return [
    warning(
      [...path, 'policy'],
      '`stickiness` decides nothing: no route has `affinity`',
      'set `affinity: true` on the application or its routes',
    ),
  ];
}

/** Priorities only matter where something is shed. */
function idlePriorities({ routes, policy }: ApplicationSettings, path: Path): readonly Fault[] {
  const sheds = policy.overload === 'shed' || policy.panic?.mode === 'shed';
  if (sheds) return [];
  return routes.flatMap(({ priority }, i) =>
    priority === undefined
      ? []
      : [
          warning(
            [...path, 'routes', i, 'priority'],
            '`priority` decides nothing: the policy sheds nothing',
            'set `overload: shed` or `panic.mode: shed` in the policy',
          ),
        ],
  );
}

function contradictions(policy: PolicySettings, at: Path): readonly Fault[] {
  const faults: Fault[] = [];
  for (const rule of policy.safety ?? []) {
    const predicate = rule.kind === 'gate' ? rule.open : rule.kind === 'assert' ? rule.that : undefined;
    if (predicate !== undefined && isConstant(predicate)) {
      faults.push(
        warning(
          at,
          `the safety rule "${rule.name}" says the same always: ${predicate.text}`,
          'let it speak of target, targets or app',
        ),
      );
    }
  }
  const { maxShiftPerMinute, ramp, failback, failbackWindow } = policy;
  if (maxShiftPerMinute === 0) {
    faults.push(warning(at, '`maxShift: 0%` lets nobody ever come back', 'give a part above 0'));
  }
  if (
    maxShiftPerMinute !== undefined &&
    maxShiftPerMinute > 0 &&
    steepest(ramp.steps) > maxShiftPerMinute &&
    ramp.everyMs < 60_000
  ) {
    faults.push(
      warning(
        at,
        'the ramp wants more in a minute than `maxShift` allows',
        'raise maxShift, or add steps to the ramp',
      ),
    );
  }
  if (failback === 'scheduled' && failbackWindow === undefined) {
    faults.push(
      valueFault(
        at,
        '`failback: scheduled` needs a `failbackWindow`',
        'for example { cron: 0 9 * * MON-FRI, for: 8h }',
      ),
    );
  }
  if (failback !== 'scheduled' && failbackWindow !== undefined) {
    faults.push(
      warning(at, `\`failbackWindow\` means nothing with \`failback: ${failback}\``, 'use scheduled'),
    );
  }
  return faults;
}

function steepest(steps: readonly number[]): number {
  return Math.max(...steps.map((step, i) => step - (steps[i - 1] ?? 0)));
}

function blindSpots({ health, targets }: ApplicationSettings, path: Path): readonly Fault[] {
  if (health.path !== undefined || targets.length < 2) return [];
  const summary = 'only the port is probed: an application that accepts and does not answer looks healthy';
  return [warning([...path, 'health'], summary, 'give `health.path`')];
}
