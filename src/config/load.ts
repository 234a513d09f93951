import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic } from '../core/diagnostics.ts';
import { SluiceError } from '../core/errors.ts';
import type { MaintenanceWindow } from '../core/policy-settings.ts';
import type { ApplicationSettings, PolicySettings, Settings } from '../core/settings.ts';
import { assembleApplication, assembleGateway } from './assemble.ts';
import { readCertificates } from './certificates.ts';
import { checkReferences } from './checks.ts';
import { decode } from './decode.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, valueFault } from './fault.ts';
import { isAddress } from './git-schema.ts';
import { checkLenders } from './lender-checks.ts';
import { lintPolicy } from './lint.ts';
import { refuseNotYet } from './not-yet.ts';
import { absolute, homeless, type LoadOptions, type ProviderShape } from './options.ts';
import { readOutagePages } from './outage-pages.ts';
import { isMap, mapAt, matchesPath, type Path, pathKey, valueAt } from './path.ts';
import { decodePlatforms, deploys, runsImages, transfers } from './platforms.ts';
import { decodePolicy, type PolicyContext } from './policy.ts';
import { packagePresets } from './presets.ts';
import { whyUnreadable } from './references.ts';
import { type RootInput, rootSchema } from './schema.ts';
import { secretsInClear, warnInClear } from './secrets.ts';
import { createSession, type Session } from './session.ts';
import { budgetOf } from './slo.ts';
import { checkSources } from './source-checks.ts';
import { withTimeZone } from './time-zone.ts';

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
  const document = session.open({ file: shown, text }, options.file, isText);
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
  throw configInvalid(path, loaded.diagnostics);
}

export function configInvalid(path: string, diagnostics: readonly Diagnostic[]): SluiceError {
  const count = diagnostics.filter((one) => one.severity === 'error').length;
  return new SluiceError('CONFIG_INVALID', `${path} has ${count === 1 ? 'a fault' : `${count} faults`}`, {
    where: path,
    why: diagnostics.map(formatDiagnostic).join('\n'),
    remedy: '`sluice validate` checks the file without doing anything else',
  });
}

const TEXTS = [
  'applications.*.env.*',
  'applications.*.targets.*.env.*',
  'applications.*.health.headers.*',
  'applications.*.services.*.on.*.credentials.*',
  'applications.*.services.*.on.*.template.parameters.*',
];

/** Taken as written, also where it looks like a number. */
function isText(path: Path): boolean {
  return TEXTS.some((pattern) => matchesPath(pattern, path));
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
  const { value: built, faults: refused } = refuseNotYet(document.value);
  const value = withTimeZone(built);
  const root = decode(rootSchema, value, [], document);
  const platforms = decodePlatforms(value, document, options);
  const paths = resolvePaths(value, options);
  const certificates = readCertificates(value, document, options);
  const outage = readOutagePages(value, document, options);
  session.addSecrets(certificates.keys);
  const policies = decodePolicies(value, document, session, options);
  session.report(document, refused);
  // The schema finds a refused value missing: an echo.
  const echoes = new Set(refused.map((fault) => pathKey(fault.path)));
  const others = [
    ...root.faults,
    ...platforms.faults,
    ...paths.faults,
    ...certificates.faults,
    ...outage.faults,
    ...policies.faults,
    ...checkReferences(document.value, (kind) => deploys(kind, options.providers)),
    ...checkSources(document.value, (kind) => runsImages(kind, options.providers)),
    ...checkLenders(document.value, (kind) => transfers(kind, options.providers)),
  ];
  session.report(
    document,
    others.filter((fault) => !echoes.has(pathKey(fault.path))),
  );
  if (!root.ok) return undefined;
  const applications = assembleApplications(
    root.value,
    paths,
    { policies: policies.value, maintenance: platforms.maintenance },
    document,
  );
  for (const application of Object.values(applications)) {
    session.report(document, lintPolicy(application, ['applications', application.name]));
  }
  return {
    file: options.file,
    platforms: platforms.value,
    applications,
    gateway: assembleGateway(root.value.gateway, {
      ...certificates,
      accessLogFile: paths.accessLog,
      outage: outage.pages,
    }),
    state: { dir: paths.stateDir },
  };
}

function resolvePaths(
  root: unknown,
  options: LoadOptions,
): {
  sources: Record<string, string>;
  repositories: Record<string, string>;
  stateDir: string;
  accessLog: string | undefined;
  faults: readonly Fault[];
} {
  const faults: Fault[] = [];
  const sources: Record<string, string> = {};
  const repositories: Record<string, string> = {};

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
    if (source !== undefined) sources[name] = source;
    if (source !== undefined && isAddress(String(valueAt(root, path)))) {
      const remedy =
        'write `git: { repository: …, ref: main }` for a repository; download anything else first';
      faults.push(valueFault(path, 'an address and no file', remedy));
    }
    const repository = ['applications', name, 'git', 'repository'];
    if (!isAddress(String(valueAt(root, repository) ?? '//'))) {
      const folder = resolveAt(repository);
      if (folder !== undefined) repositories[name] = folder;
    }
  }
  const log = ['gateway', 'accessLog', 'file'];
  return {
    sources,
    repositories,
    stateDir: resolveAt(['state', 'dir']) ?? join(dirname(options.file), '.sluice'),
    accessLog: valueAt(root, log) === '-' ? '-' : resolveAt(log),
    faults,
  };
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
  paths: {
    readonly sources: Readonly<Record<string, string>>;
    readonly repositories: Readonly<Record<string, string>>;
  },
  {
    policies,
    maintenance,
  }: {
    readonly policies: Readonly<Record<string, PolicySettings>>;
    /** Of platforms, for all that runs there. */
    readonly maintenance: readonly MaintenanceWindow[];
  },
  document: ConfigDocument,
): Record<string, ApplicationSettings> {
  const applications: Record<string, ApplicationSettings> = {};
  for (const [name, input] of Object.entries(root.applications)) {
    const policy = policies[name];
    // Only after a fault: then nothing of this is used.
    if (policy === undefined) continue;
    const budget = policy.budget ?? (input.slo === undefined ? undefined : budgetOf(input.slo));
    const own = maintenance.filter(({ platform }) => Object.hasOwn(input.targets, platform));
    applications[name] = assembleApplication(name, input, {
      policy: {
        ...policy,
        ...(budget === undefined ? {} : { budget }),
        ...(own.length === 0 ? {} : { maintenance: [...(policy.maintenance ?? []), ...own] }),
      },
      source: paths.sources[name],
      repository: paths.repositories[name],
      isSecret: (path) => document.origins(['applications', name, ...path]).length > 0,
    });
  }
  return applications;
}
