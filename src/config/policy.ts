import { basename, isAbsolute, join } from 'node:path';
import { DEFAULT_POLICY, type PolicySettings } from '../core/settings.ts';
import { decode } from './decode.ts';
import { remedyFor } from './did-you-mean.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, valueFault } from './fault.ts';
import { NOT_YET_IN_POLICY, PRESETS_NOT_YET, refuseNotYet } from './not-yet.ts';
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
  const fault = PRESETS_NOT_YET.includes(name)
    ? valueFault(path, 'not built yet: this preset', `use one of: ${names.join(', ')}`)
    : valueFault(
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
  const { value, faults: refused } = refuseNotYet(document.value, NOT_YET_IN_POLICY);
  const decoded = decode(policySchema, value, [], document);
  const completed = decoded.ok ? complete(decoded.value, name, [], context) : undefined;
  const faults = [...refused, ...decoded.faults, ...(completed?.faults ?? [])];
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
  };
  if (settings.holdDown.baseMs <= settings.holdDown.maxMs) return { settings, faults: [] };
  const fault = valueFault(
    [...path, 'holdDown', 'max'],
    'shorter than base',
    'make max at least as long as base',
  );
  return { settings: undefined, faults: [fault] };
}
