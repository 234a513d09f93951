import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ZodType } from 'zod';
import { type Diagnostic, formatDiagnostic } from '../core/diagnostics.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationSettings, PlatformSettings, PolicySettings, Settings } from '../core/settings.ts';
import { createRedactor, type Redactor } from '../lib/redact.ts';
import { assembleApplication, assembleGateway } from './assemble.ts';
import { checkReferences } from './checks.ts';
import { decode } from './decode.ts';
import { remedyFor } from './did-you-mean.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import { type Fault, valueFault } from './fault.ts';
import { refuseNotYet } from './not-yet.ts';
import { formatPath, isMap, matchesPath, type Path, pathKey, valueAt } from './path.ts';
import { decodePolicy, type PolicyContext, type PolicySource } from './policy.ts';
import { packagePresets } from './presets.ts';
import {
  expandHome,
  noHome,
  type ResolvedReference,
  resolveReferences,
  whyUnreadable,
} from './references.ts';
import { type RootInput, rootSchema } from './schema.ts';
import { secretsInClear, secretsOf, warnInClear } from './secrets.ts';

/** What configuration must know of a kind of platform; `providers/registry.ts` has it. */
export interface ProviderShape {
  /** Of the platform's block without `provider`. */
  readonly schema: ZodType;
  /** False where there is nothing to deploy. Default: true, but for `static`. */
  readonly deploys?: boolean;
}

export interface LoadOptions {
  /** Absolute. */
  readonly file: string;
  /** How messages call the file, e.g. as it was typed. Default: `file`. */
  readonly shownAs?: string;
  /** Throws as `readFileSync` does. */
  readonly read: (path: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly providers: Readonly<Record<string, ProviderShape>>;
  readonly presets: Readonly<Record<string, PolicySource>>;
}

/** Either settings and warnings, or at least one error; both kinds of diagnostics are sorted by place. */
export type Loaded =
  | { readonly settings: Settings; readonly diagnostics: readonly Diagnostic[] }
  | { readonly settings?: never; readonly diagnostics: readonly Diagnostic[] };

/** `sluice.yaml` → Settings. Never throws, finds all faults at once, and no fault repeats a secret. */
export function loadSettings(options: LoadOptions): Loaded {
  const shown = options.shownAs ?? options.file;
  let text: string;
  try {
    text = options.read(options.file);
  } catch (caught) {
    const summary = `cannot read the configuration: ${whyUnreadable(caught)}`;
    const remedy = 'name the file with -f FILE, or give origins: sluice serve --origin a=URL';
    return {
      diagnostics: [{ severity: 'error', file: shown, line: 1, column: 1, path: '', summary, remedy }],
    };
  }
  const session = createSession(options);
  const document = session.open({ file: shown, text }, options.file, isEnvironment);
  const settings = document.readable ? decodeRoot(document, session, options) : undefined;
  const diagnostics = session.diagnostics();
  if (settings === undefined || diagnostics.some((one) => one.severity === 'error')) return { diagnostics };
  return { settings: { ...settings, ...session.secrets() }, diagnostics };
}

/** The thin shell: reads the disk and throws CONFIG_INVALID (exit 64) with all diagnostics as its reason. */
export function loadSettingsFile(
  path: string,
  given: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly providers: Readonly<Record<string, ProviderShape>>;
  },
): { readonly settings: Settings; readonly diagnostics: readonly Diagnostic[] } {
  const loaded = loadSettings({
    file: resolve(given.cwd, path),
    shownAs: path,
    read: (file) => readFileSync(file, 'utf8'),
    env: given.env,
    providers: given.providers,
    presets: packagePresets(),
  });
  if (loaded.settings !== undefined) return loaded;
  const count = loaded.diagnostics.filter((one) => one.severity === 'error').length;
  throw new SluiceError('CONFIG_INVALID', `${path} has ${count === 1 ? 'a fault' : `${count} faults`}`, {
    where: path,
    why: loaded.diagnostics.map(formatDiagnostic).join('\n'),
    remedy: '`sluice validate` checks the file without doing anything else',
  });
}

const ENVIRONMENTS = ['applications.*.env.*', 'applications.*.targets.*.env.*'];

function isEnvironment(path: Path): boolean {
  return ENVIRONMENTS.some((pattern) => matchesPath(pattern, path));
}

interface Session {
  open(source: PolicySource, path: string, isText?: (path: Path) => boolean): ConfigDocument;
  report(document: ConfigDocument, faults: readonly Fault[]): void;
  addSecrets(values: readonly string[]): void;
  diagnostics(): readonly Diagnostic[];
  secrets(): Pick<Settings, 'secrets' | 'references'>;
}

/** What all documents of one load share: what was found wrong, and what must never be shown. */
function createSession(options: LoadOptions): Session {
  const found: Diagnostic[] = [];
  const references: ResolvedReference[] = [];
  const literals = new Set<string>();
  const inClear: string[] = [];

  function secrets(): readonly string[] {
    return secretsOf(references, literals, inClear);
  }

  return {
    open(source, path, isText = () => false) {
      const sources = { env: options.env, read: options.read, folder: dirname(path) };
      const document = readDocument({
        file: source.file,
        text: source.text,
        resolve: (text) => resolveReferences(text, sources),
        isText,
      });
      found.push(...document.diagnostics);
      references.push(...document.references);
      for (const literal of document.literals) literals.add(literal);
      return document;
    },
    report(document, faults) {
      for (const { severity, path, at, summary, remedy } of faults) {
        if (document.faulty.has(pathKey(path))) continue;
        found.push({
          severity,
          file: document.file,
          ...document.position(path, at),
          path: formatPath(path),
          summary,
          remedy,
        });
      }
    },
    addSecrets: (values) => void inClear.push(...values),
    diagnostics: () => sorted(found, createRedactor(secrets())),
    secrets: () => ({
      secrets: secrets(),
      references: references.filter(({ value }) => value !== ''),
    }),
  };
}

function sorted(found: readonly Diagnostic[], redactor: Redactor): readonly Diagnostic[] {
  const unique = new Map<string, Diagnostic>();
  for (const one of found) {
    const safe = {
      ...one,
      file: redactor.text(one.file),
      summary: redactor.text(one.summary),
      remedy: redactor.text(one.remedy),
    };
    // An alias shows the same fault once for each place it stands for.
    const key = `${one.file}\n${one.line}:${one.column}\n${safe.summary}`;
    if (!unique.has(key)) unique.set(key, safe);
  }
  return [...unique.values()].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
}

type Unfinished = Omit<Settings, 'secrets' | 'references'>;

function decodeRoot(
  document: ConfigDocument,
  session: Session,
  options: LoadOptions,
): Unfinished | undefined {
  const clear = secretsInClear(document);
  session.addSecrets(clear.map(({ value }) => value));
  session.report(document, warnInClear(clear));
  const { value, faults: refused } = refuseNotYet(document.value);
  const root = decode(rootSchema, value, [], document);
  const platforms = decodePlatforms(value, document, options);
  const paths = resolvePaths(value, options);
  const policies = decodePolicies(value, document, session, options);
  session.report(document, refused);
  // The schema finds a refused value missing: an echo.
  const echoes = new Set(refused.map((fault) => pathKey(fault.path)));
  const others = [
    ...root.faults,
    ...platforms.faults,
    ...paths.faults,
    ...policies.faults,
    ...checkReferences(document.value, (kind) => deploys(kind, options.providers)),
  ];
  session.report(
    document,
    others.filter((fault) => !echoes.has(pathKey(fault.path))),
  );
  if (!root.ok) return undefined;
  return {
    file: options.file,
    platforms: platforms.value,
    applications: assembleApplications(root.value, paths.sources, policies.value, document),
    gateway: assembleGateway(root.value.gateway),
    state: { dir: paths.stateDir },
  };
}

function deploys(kind: string, providers: LoadOptions['providers']): boolean | undefined {
  const provider = Object.hasOwn(providers, kind) ? providers[kind] : undefined;
  return provider && (provider.deploys ?? kind !== 'static');
}

function decodePlatforms(
  root: unknown,
  document: ConfigDocument,
  options: LoadOptions,
): { value: Record<string, PlatformSettings>; faults: readonly Fault[] } {
  const value: Record<string, PlatformSettings> = {};
  const faults: Fault[] = [];
  for (const [name, block] of Object.entries(mapAt(root, ['platforms']))) {
    if (!isMap(block) || typeof block['provider'] !== 'string') continue;
    const { provider, ...rest } = block;
    const path = ['platforms', name];
    const shape = Object.hasOwn(options.providers, provider) ? options.providers[provider] : undefined;
    if (shape === undefined) {
      faults.push(
        valueFault(
          [...path, 'provider'],
          'no provider has this name',
          remedyFor(provider, Object.keys(options.providers)),
        ),
      );
      continue;
    }
    const authority = readAuthority(rest['ca'], [...path, 'ca'], options);
    if (authority?.fault) faults.push(authority.fault);
    const socket = typeof rest['socket'] === 'string' ? absolute(rest['socket'], options) : undefined;
    const given = {
      ...rest,
      ...(authority?.pem === undefined ? {} : { ca: authority.pem }),
      ...(socket === undefined ? {} : { socket }),
    };
    const decoded = decode(shape.schema, given, path, document);
    faults.push(...decoded.faults);
    if (decoded.ok) value[name] = { name, provider, options: decoded.value };
  }
  return { value, faults };
}

/** `ca:` is the PEM text itself or the path of a file that holds it; providers always get the text. */
function readAuthority(
  given: unknown,
  path: Path,
  options: LoadOptions,
): { pem?: string; fault?: Fault } | undefined {
  if (typeof given !== 'string' || given.includes('-----BEGIN')) return undefined;
  const file = absolute(given, options);
  if (file === undefined) return { fault: homeless(path) };
  try {
    const pem = options.read(file);
    if (pem.includes('-----BEGIN CERTIFICATE')) return { pem };
    return {
      fault: valueFault(
        path,
        'this file holds no certificate',
        'it must be PEM: -----BEGIN CERTIFICATE-----',
      ),
    };
  } catch (caught) {
    const summary = `cannot read the certificate: ${whyUnreadable(caught)}`;
    return { fault: valueFault(path, summary, 'correct the path; it starts at the folder of this file') };
  }
}

function resolvePaths(
  root: unknown,
  options: LoadOptions,
): { sources: Record<string, string>; stateDir: string; faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const sources: Record<string, string> = {};

  function resolveAt(path: Path): string | undefined {
    const given = valueAt(root, path);
    if (typeof given !== 'string' || given === '') return undefined;
    const resolved = absolute(given, options);
    if (resolved === undefined) faults.push(homeless(path));
    return resolved;
  }

  for (const name of Object.keys(mapAt(root, ['applications']))) {
    const path = ['applications', name, 'source'];
    const source = resolveAt(path);
    if (source === undefined) continue;
    sources[name] = source;
    const given = String(valueAt(root, path));
    if (NOT_A_FOLDER.test(given)) {
      faults.push(
        valueFault(path, 'not built yet: archives, binaries and git refs', 'unpack it and name the folder'),
      );
    }
  }
  return { sources, stateDir: resolveAt(['state', 'dir']) ?? join(dirname(options.file), '.sluice'), faults };
}

const NOT_A_FOLDER = /\.(zip|jar|war|tgz|tar|tar\.gz|tar\.xz)$|^(git(@|\+|:)|https?:|ssh:)/i;

function absolute(given: string, options: LoadOptions): string | undefined {
  const path = expandHome(given, options);
  if (path === undefined || isAbsolute(path)) return path;
  return join(dirname(options.file), path);
}

function homeless(path: Path): Fault {
  const { summary, remedy } = noHome();
  return valueFault(path, summary, remedy);
}

function decodePolicies(
  root: unknown,
  document: ConfigDocument,
  session: Session,
  options: LoadOptions,
): { value: Record<string, PolicySettings>; faults: readonly Fault[] } {
  const context: PolicyContext = {
    presets: options.presets,
    env: options.env,
    read: options.read,
    folder: dirname(options.file),
    open: (source, path) => session.open(source, path),
    report: session.report,
  };
  const value: Record<string, PolicySettings> = {};
  const faults: Fault[] = [];
  for (const name of Object.keys(mapAt(root, ['applications']))) {
    const path = ['applications', name, 'policy'];
    if (document.faulty.has(pathKey(path))) continue;
    const decoded = decodePolicy(valueAt(root, path), path, document, context);
    // What is wrong with the shape of an inline policy is found with the rest of the file.
    if (!isMap(valueAt(root, path)) || decoded.faults.every((fault) => fault.path.length > path.length)) {
      faults.push(...decoded.faults);
    }
    if (decoded.settings !== undefined) value[name] = decoded.settings;
  }
  return { value, faults };
}

function assembleApplications(
  root: RootInput,
  sources: Readonly<Record<string, string>>,
  policies: Readonly<Record<string, PolicySettings>>,
  document: ConfigDocument,
): Record<string, ApplicationSettings> {
  const applications: Record<string, ApplicationSettings> = {};
  for (const [name, input] of Object.entries(root.applications)) {
    const policy = policies[name];
    // Only after a fault: then nothing of this is used.
    if (policy === undefined) continue;
    applications[name] = assembleApplication(name, input, {
      policy,
      source: sources[name],
      isSecret: (path) => document.origins(['applications', name, ...path]).length > 0,
    });
  }
  return applications;
}

function mapAt(root: unknown, path: Path): Readonly<Record<string, unknown>> {
  const value = valueAt(root, path);
  return isMap(value) ? value : {};
}
