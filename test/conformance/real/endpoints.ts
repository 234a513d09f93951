import { readFileSync } from 'node:fs';
import { PROVIDERS } from '../../../providers/registry.ts';

type Env = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly name: string;
  /** Where its value stands in the platform's block of sluice.yaml. */
  readonly path: readonly string[];
  readonly what: string;
  readonly secret?: true;
  /** The value is the path of a file with the content. */
  readonly file?: true;
}

interface Kind {
  readonly kind: string;
  readonly title: string;
  readonly variables: readonly Variable[];
}

/** A real platform to be verified, as the environment describes it. */
export interface Endpoint {
  readonly kind: string;
  /** For people: where it is; no secrets. */
  readonly address: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}

/** The variable that says whether an endpoint is given is the first of its kind. */
export const KINDS: readonly Kind[] = [
  {
    kind: 'cloudfoundry',
    title: 'Cloud Foundry (an org and a space in which applications may be pushed)',
    variables: [
      { name: 'SLUICE_REAL_CF_API', path: ['api'], what: 'address of the API, as given to `cf api`' },
      { name: 'SLUICE_REAL_CF_ORG', path: ['org'], what: 'organization' },
      { name: 'SLUICE_REAL_CF_SPACE', path: ['space'], what: 'space' },
      { name: 'SLUICE_REAL_CF_DOMAIN', path: ['domain'], what: 'domain for the routes' },
      { name: 'SLUICE_REAL_CF_USERNAME', path: ['credentials', 'username'], what: 'user' },
      { name: 'SLUICE_REAL_CF_PASSWORD', path: ['credentials', 'password'], what: 'password', secret: true },
      {
        name: 'SLUICE_REAL_CF_CLIENT_ID',
        path: ['credentials', 'clientId'],
        what: 'client, instead of a user',
      },
      {
        name: 'SLUICE_REAL_CF_CLIENT_SECRET',
        path: ['credentials', 'clientSecret'],
        what: 'its secret',
        secret: true,
      },
      {
        name: 'SLUICE_REAL_CF_ROUTER',
        path: ['router'],
        what: 'where its router answers, if not at the route’s host (optional)',
      },
      { name: 'SLUICE_REAL_CF_CA', path: ['ca'], what: 'PEM file of its authority (optional)', file: true },
    ],
  },
  {
    kind: 'openshift',
    title: 'OpenShift (a project in which the account has the role `edit`)',
    variables: [
      { name: 'SLUICE_REAL_OCP_API', path: ['api'], what: 'address of the API server' },
      { name: 'SLUICE_REAL_OCP_NAMESPACE', path: ['namespace'], what: 'project' },
      {
        name: 'SLUICE_REAL_OCP_TOKEN',
        path: ['credentials', 'token'],
        what: 'token of the account',
        secret: true,
      },
      {
        name: 'SLUICE_REAL_OCP_ROUTER',
        path: ['router'],
        what: 'where its router answers, if not at the route’s host (optional)',
      },
      { name: 'SLUICE_REAL_OCP_BUILDER', path: ['builder'], what: 'builder image (optional)' },
      { name: 'SLUICE_REAL_OCP_CA', path: ['ca'], what: 'PEM file of its authority (optional)', file: true },
    ],
  },
  {
    kind: 'selfhosted',
    title: 'self-hosted (a running `sluice host`)',
    variables: [{ name: 'SLUICE_REAL_HOST_SOCKET', path: ['socket'], what: 'its socket' }],
  },
];

export type Found =
  | { readonly endpoint: Endpoint }
  | { readonly kind: string; readonly faults: readonly string[] };

/** What the environment gives; each kind by itself, with what is wrong where it is given and not understood. */
export function endpointsIn(env: Env): readonly Found[] {
  return KINDS.filter(({ variables }) => variables.some(({ name }) => env[name] !== undefined)).map((kind) =>
    endpointOf(kind, env),
  );
}

function endpointOf({ kind, variables }: Kind, env: Env): Found {
  const options: Record<string, unknown> = {};
  const secrets: string[] = [];
  for (const variable of variables) {
    const value = env[variable.name];
    if (value === undefined || value === '') continue;
    let text = value;
    if (variable.file) {
      try {
        text = readFileSync(value, 'utf8');
      } catch (error) {
        return { kind, faults: [`${variable.name}: ${error instanceof Error ? error.message : value}`] };
      }
    }
    put(options, variable.path, text);
    if (variable.secret) secrets.push(value);
  }
  const parsed = PROVIDERS[kind]?.schema.safeParse(options);
  if (!parsed?.success) {
    const faults = parsed?.error.issues.map(({ path, message }) => `${nameOf(variables, path)}: ${message}`);
    return { kind, faults: faults ?? ['there is no such provider'] };
  }
  const address = env[variables[0]?.name ?? ''] ?? '';
  return { endpoint: { kind, address, options, secrets } };
}

function put(options: Record<string, unknown>, path: readonly string[], value: string): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    options[first] = value;
    return;
  }
  const inner = (options[first] ?? {}) as Record<string, unknown>;
  put(inner, rest, value);
  options[first] = inner;
}

function nameOf(variables: readonly Variable[], path: readonly PropertyKey[]): string {
  const key = path.join('.');
  return variables.find((variable) => variable.path.join('.').startsWith(key))?.name ?? key;
}

export function helpText(): string {
  const lines = KINDS.flatMap(({ title, variables }) => [
    '',
    title,
    ...variables.map(({ name, what }) => `  ${name.padEnd(30)} ${what}`),
  ]);
  return `nothing to verify: no endpoint is given in the environment.

npm run conformance:real deploys small applications to real platforms, breaks them, and removes them again. Their
names begin with a prefix that nobody else has; what it leaves behind, if anything, is in the report.
${lines.join('\n')}

Options: --only TEXT  cases whose name contains it      --report DIR  default ./conformance-report
`;
}
