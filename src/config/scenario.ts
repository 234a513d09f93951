import type { Diagnostic } from '../core/diagnostics.ts';
import type {
  Expectation,
  ScenarioFault,
  ScenarioPlatform,
  SimulationScenario,
  Span,
} from '../core/scenario.ts';
import { parseDuration } from '../core/units.ts';
import { decode } from './decode.ts';
import { readDocument } from './document.ts';
import { type Fault, valueFault } from './fault.ts';
import { type ScenarioInput, scenarioSchema } from './scenario-schema.ts';

const START = '2026-01-05T09:00:00Z';

export type ReadScenario =
  | { readonly ok: true; readonly scenario: SimulationScenario }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** A scenario file; `file` is how messages call it. */
export function readScenario(file: string, text: string): ReadScenario {
  const document = readDocument({
    file,
    text,
    resolve: (given) => ({ text: given, references: [], faults: [] }),
    isText: () => false,
  });
  if (!document.readable) return { ok: false, diagnostics: document.diagnostics };
  const decoded = decode(scenarioSchema, document.value, [], document);
  const made = decoded.ok ? assemble(decoded.value, nameOf(file)) : undefined;
  const faults = [...decoded.faults, ...(made?.faults ?? [])];
  if (made !== undefined && faults.length === 0) return { ok: true, scenario: made.scenario };
  const diagnostics = faults.map(
    ({ severity, path, at, summary, remedy }): Diagnostic => ({
      severity,
      file,
      ...document.position(path, at),
      path: path.join('.'),
      summary,
      remedy,
    }),
  );
  return { ok: false, diagnostics };
}

function nameOf(file: string): string {
  return file.replace(/^.*\//, '').replace(/\.ya?ml$/, '');
}

function assemble(
  input: ScenarioInput,
  name: string,
): { readonly scenario: SimulationScenario; readonly faults: readonly Fault[] } {
  const { duration } = input;
  const startAt = Date.parse(input.start ?? START);
  const faults = foreignNames(input);
  if (Number.isNaN(startAt)) faults.push(valueFault(['start'], 'not a moment', `for example ${START}`));
  const scenario: SimulationScenario = {
    name: input.name ?? name,
    startAt,
    durationMs: duration,
    demand: input.demand.map(({ at, rps }) => ({ atMs: at, rps: rps.rps })).sort((a, b) => a.atMs - b.atMs),
    platforms: Object.entries(input.platforms).map(([platform, given]) =>
      platformOf(platform, given, duration),
    ),
    routes: Object.entries(input.routes ?? {}).map(([route, { part, priority = 0 }]) => ({
      name: route,
      priority,
      part,
    })),
    acts: (input.acts ?? []).map((act) => ({
      ...spanOf(act, duration),
      kind: act.act,
      platform: act.platform,
    })),
    releases: input.releases ?? [],
    cutOff: (input.cutOff ?? []).map((one) => spanOf(one, duration)),
    stateLost: (input.stateLost ?? []).map((one) => spanOf(one, duration)),
    clockJumps: (input.clockJumps ?? []).map(({ at, by }) => ({ atMs: at, byMs: jumpOf(by) })),
    data: dataOf(input),
    expect: expectationsOf(input),
  };
  const parts = scenario.routes.reduce((sum, { part }) => sum + part, 0);
  if (scenario.routes.length > 0 && Math.abs(parts - 1) > 0.001)
    faults.push(
      valueFault(['routes'], `the parts sum to ${Math.round(parts * 1000) / 10} %`, 'let them sum to 100 %'),
    );
  for (const [i, { byMs }] of scenario.clockJumps.entries()) {
    if (Number.isNaN(byMs))
      faults.push(valueFault(['clockJumps', i, 'by'], 'not a duration', 'for example -1h'));
  }
  return { scenario, faults };
}

type PlatformInput = ScenarioInput['platforms'][string];

function platformOf(platform: string, given: PlatformInput, durationMs: number): ScenarioPlatform {
  const { capacity } = given;
  return {
    target: {
      platform,
      tier: given.tier ?? 1,
      weight: given.weight ?? 1,
      instances: given.standby === 'cold' ? 0 : (given.instances ?? 2),
      ...(given.standby === 'cold' ? { wakesTo: given.instances ?? 2 } : {}),
      env: {},
      capacityRpsPerInstance: capacity?.perInstance === true ? capacity.rps : undefined,
      capacityRps: capacity?.perInstance === false ? capacity.rps : undefined,
      ...(given.standby === undefined ? {} : { standby: given.standby }),
      ...(given.maxInstances === undefined ? {} : { maxInstances: given.maxInstances }),
      ...(given.cost === undefined ? {} : { costPerInstanceHour: given.cost }),
    },
    latencyMs: given.latency ?? 20,
    scaleMs: given.scaleTime ?? 30_000,
    faults: (given.faults ?? []).map((fault) => faultOf(fault, durationMs)),
  };
}

function faultOf(fault: NonNullable<PlatformInput['faults']>[number], durationMs: number): ScenarioFault {
  const span = spanOf(fault, durationMs);
  switch (fault.is) {
    case 'flapping':
      return { ...span, kind: 'flapping', everyMs: fault.every };
    case 'failing':
      return { ...span, kind: 'failing', errors: fault.errors };
    case 'slow':
    case 'creeping':
      return { ...span, kind: fault.is, latencyMs: fault.latency };
    case 'instances':
      return { ...span, kind: 'instances', running: fault.running };
    default:
      return { ...span, kind: fault.is };
  }
}

function spanOf(given: { readonly at: number; readonly for?: number | undefined }, durationMs: number): Span {
  return { fromMs: given.at, toMs: given.for === undefined ? durationMs : given.at + given.for };
}

function jumpOf(by: string): number {
  const parsed = parseDuration(by.replace(/^-/, ''));
  return !parsed.ok ? Number.NaN : by.startsWith('-') ? -parsed.value : parsed.value;
}

function dataOf({ data, platforms }: ScenarioInput): SimulationScenario['data'] {
  if (data === undefined || data.writes === 'anywhere') return { writes: 'anywhere' };
  if (data.writes === 'none') return { writes: 'none' };
  return { writes: 'single', writer: data.writer ?? Object.keys(platforms)[0] ?? '' };
}

function expectationsOf({ expect }: ScenarioInput): readonly Expectation[] {
  if (expect === undefined) return [];
  const all: Expectation[] = [];
  if (expect.unserved !== undefined) all.push({ kind: 'unserved', most: expect.unserved });
  if (expect.shifts !== undefined) all.push({ kind: 'shifts', most: expect.shifts });
  for (const { at, within, are } of expect.shares ?? []) {
    all.push({ kind: 'shares', atMs: at, shares: are, within: within ?? 0.02 });
  }
  for (const { at, within, are } of expect.served ?? []) {
    all.push({ kind: 'served', atMs: at, served: are, within: within ?? 0.02 });
  }
  for (const { type, says, at, within } of expect.events ?? []) {
    all.push({ kind: 'event', type, says, atMs: at, withinMs: within ?? 3_000 });
  }
  for (const { type, says } of expect.never ?? []) all.push({ kind: 'no-event', type, says });
  return all;
}

/** Names that no platform of the scenario has. */
function foreignNames({ platforms, routes = {}, acts, data, expect }: ScenarioInput): Fault[] {
  const names = Object.keys(platforms);
  const remedy = `one of: ${names.join(', ')}`;
  const faults: Fault[] = [];
  function check(name: string | undefined, path: readonly (string | number)[]): void {
    if (name !== undefined && !names.includes(name)) {
      faults.push(valueFault([...path], 'no platform of this scenario', remedy));
    }
  }
  for (const [i, { platform }] of (acts ?? []).entries()) check(platform, ['acts', i, 'platform']);
  check(data?.writer, ['data', 'writer']);
  for (const [i, { are }] of (expect?.shares ?? []).entries()) {
    for (const name of Object.keys(are)) check(name, ['expect', 'shares', i, 'are', name]);
  }
  for (const [i, { are }] of (expect?.served ?? []).entries()) {
    for (const name of Object.keys(are)) {
      if (Object.hasOwn(routes, name)) continue;
      const known = Object.keys(routes).join(', ') || 'none, give it `routes`';
      faults.push(
        valueFault(['expect', 'served', i, 'are', name], 'no route of this scenario', `one of: ${known}`),
      );
    }
  }
  return faults;
}
