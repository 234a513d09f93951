import { basename, isAbsolute, join } from 'node:path';
import type { PolicyRule, SafetyRule } from '../core/policy-settings.ts';
import { DEFAULT_POLICY, type PolicySettings, SESSION_DRAIN_MS } from '../core/settings.ts';
import { decode } from './decode.ts';
import { remedyFor } from './did-you-mean.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, valueFault } from './fault.ts';
import { isMap, type Path } from './path.ts';
import { type PolicyInput, policySchema } from './policy-schema.ts';
import { expandHome, whyUnreadable } from './references.ts';

/** The text of a policy file and how to call the file in messages. */
export interface PolicySource {
  readonly file: string;
  readonly text: string;
}

export interface PolicyContext {
  readonly presets: Readonly<Record<string, PolicySource>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read: (path: string) => string;
  readonly folder: string;
  /** Reads a policy file as a document of its own; its references and diagnostics are kept by the caller. */
  readonly open: (source: PolicySource, path: string) => ConfigDocument;
  /** Reports faults inside a policy file. */
  readonly report: (document: ConfigDocument, faults: readonly Fault[]) => void;
}

interface DecodedPolicy {
  /** Undefined when there were faults, here or in the policy's own file. */
  readonly settings: PolicySettings | undefined;
  /** In the document that holds `policy:`. */
  readonly faults: readonly Fault[];
}

/** `policy:` of an application: the name of a preset, the path of a file, or the policy itself. */
export function decodePolicy(
  given: unknown,
  path: Path,
  document: ConfigDocument,
  context: PolicyContext,
): DecodedPolicy {
  if (given === undefined) return preset(DEFAULT_POLICY.name, path, context);
  if (typeof given === 'string') {
    return isPath(given) ? policyFile(given, path, context) : preset(given, path, context);
  }
  if (!isMap(given)) return { settings: undefined, faults: [] };
  // The keys that are not built were refused with the whole file.
  const decoded = decode(policySchema, given, path, document);
  if (!decoded.ok) return { settings: undefined, faults: decoded.faults };
  return complete(decoded.value, 'custom', path, context);
}

function isPath(given: string): boolean {
  return given.includes('/') || /\.(ya?ml|json)$/.test(given);
}

function preset(name: string, path: Path, context: PolicyContext): DecodedPolicy {
  const source = Object.hasOwn(context.presets, name) ? context.presets[name] : undefined;
  if (source !== undefined) return { settings: fromFile(source, source.file, name, context), faults: [] };
  const names = Object.keys(context.presets);
  const fault = valueFault(
    path,
    'no preset has this name',
    `${remedyFor(name, names)}; a file needs a / or .yaml in its name`,
  );
  return { settings: undefined, faults: [fault] };
}

function policyFile(given: string, path: Path, context: PolicyContext): DecodedPolicy {
  const expanded = expandHome(given, context) ?? given;
  const file = isAbsolute(expanded) ? expanded : join(context.folder, expanded);
  try {
    const source = { file: given, text: context.read(file) };
    return { settings: fromFile(source, file, basename(file).replace(/\.\w+$/, ''), context), faults: [] };
  } catch (caught) {
    const summary = `cannot read the policy file: ${whyUnreadable(caught)}`;
    return {
      settings: undefined,
      faults: [valueFault(path, summary, 'correct the path; it starts at the folder of this file')],
    };
  }
}

function fromFile(
  source: PolicySource,
  file: string,
  name: string,
  context: PolicyContext,
): PolicySettings | undefined {
  const document = context.open(source, file);
  if (!document.readable) return undefined;
  const decoded = decode(policySchema, document.value, [], document);
  const completed = decoded.ok ? complete(decoded.value, name, [], context) : undefined;
  const faults = [...decoded.faults, ...(completed?.faults ?? [])];
  context.report(document, faults);
  return faults.length === 0 ? completed?.settings : undefined;
}

/** Fills in what the policy leaves open, from its base. */
function complete(input: PolicyInput, name: string, path: Path, context: PolicyContext): DecodedPolicy {
  // A preset that named itself as its base would never end; only the default has none.
  const base = input.base === undefined ? DEFAULT_POLICY : undefined;
  const inherited =
    base === undefined && input.base !== name
      ? preset(input.base ?? '', [...path, 'base'], context)
      : undefined;
  const from = base ?? inherited?.settings;
  if (from === undefined) {
    const own = [valueFault([...path, 'base'], 'a policy cannot be its own base', 'name another preset')];
    return { settings: undefined, faults: inherited?.faults ?? own };
  }
  const settings: PolicySettings = {
    name: input.name ?? name,
    strategy: input.strategy ?? from.strategy,
    overprovision: input.overprovision ?? from.overprovision,
    holdDown: {
      baseMs: input.holdDown?.base ?? from.holdDown.baseMs,
      maxMs: input.holdDown?.max ?? Math.max(from.holdDown.maxMs, input.holdDown?.base ?? 0),
    },
    ramp: {
      steps: input.ramp?.steps ?? from.ramp.steps,
      everyMs: input.ramp?.every ?? from.ramp.everyMs,
    },
    failback: input.failback ?? from.failback,
    ...layersOf(input, from),
  };
  if (settings.holdDown.baseMs <= settings.holdDown.maxMs) return { settings, faults: [] };
  const fault = valueFault(
    [...path, 'holdDown', 'max'],
    'shorter than base',
    'make max at least as long as base',
  );
  return { settings: undefined, faults: [fault] };
}

type Layers = Omit<PolicySettings, 'name' | 'strategy' | 'overprovision' | 'holdDown' | 'ramp' | 'failback'>;

/** What a policy may leave out altogether: from its base then, and from nowhere when that has none either. */
function layersOf(input: PolicyInput, from: PolicySettings): Layers {
  const { panic, flap, primary, scale, degraded, cost, budget, stickiness } = input;
  const layers: { [K in keyof Layers]-?: Layers[K] | undefined } = {
    primary: primary && { order: primary.order ?? [], switch: primary.switch ?? 'failover' },
    failbackWindow: input.failbackWindow,
    flap: flap && { start: flap.start ?? 0.2, stop: flap.stop ?? 0.05 },
    panic: panic && {
      below: panic.below ?? 0.3,
      mode: panic.mode ?? 'last-known-good',
      exitAfterMs: panic.exitAfter ?? 0,
    },
    overload: input.overload,
    maintenance: input.maintenance,
    freeze: input.freeze,
    maxShiftPerMinute: input.maxShift,
    minDelayMs: input.minDelay,
    maxFailoversPerHour: input.maxFailovers,
    rules: input.rules?.flatMap(rulesOf),
    safety: input.safety?.map(safetyOf),
    budget: budget && {
      objective: budget.objective,
      triggers: budget.triggers.map(({ windows: [longMs, shortMs], rate, do: act }) => ({
        longMs,
        shortMs,
        rate,
        act,
      })),
    },
    cost: cost && { maxP95Ms: cost.maxP95, maxErrorRatio: cost.maxErrors },
    scale: scale && { withFailover: scale.withFailover ?? true, backAfterMs: scale.backAfter ?? 600_000 },
    degraded: degraded && { p95Ms: degraded.p95, errorRatio: degraded.errors },
    stickiness: stickiness && {
      drainMs: stickiness.drain ?? SESSION_DRAIN_MS,
      breakOn: (stickiness.breakOn ?? []).flatMap((one) =>
        one === 'degraded' || one === 'moved' ? [one] : [],
      ),
    },
  };
  const given = Object.fromEntries(Object.entries(layers).filter(([, value]) => value !== undefined));
  const { name, strategy, overprovision, holdDown, ramp, failback, ...inherited } = from;
  return { ...inherited, ...given };
}

/** A rule that does several things is several rules that hold alike. */
function rulesOf(input: NonNullable<PolicyInput['rules']>[number]): PolicyRule[] {
  const { name, priority = 0, when, for: forMs = 0, do: acts } = input;
  return acts.map((act) => ({ name, priority, when, forMs, act }));
}

function safetyOf(input: NonNullable<PolicyInput['safety']>[number]): SafetyRule {
  const { name } = input;
  if ('gate' in input) return { name, kind: 'gate', open: input.gate };
  if ('floor' in input) return { name, kind: 'floor', ratio: input.floor };
  const unless = input.unless === undefined ? {} : { unless: input.unless };
  return { name, kind: 'assert', that: input.assert, ...unless };
}
