export const PLATFORM_KINDS = ['cloudfoundry', 'openshift', 'selfhosted', 'static'] as const;
export type PlatformKind = (typeof PLATFORM_KINDS)[number];

export interface FoundSource {
  readonly name: string;
  /** As written in the file. */
  readonly source: string;
  readonly command: string | undefined;
  /** Where the command was found. */
  readonly from: string | undefined;
}

/** A first sluice.yaml, with what a person must fill in and what they may want next; and the variables it names. */
export function starterFile(
  { name, source, command, from }: FoundSource,
  platforms: ReadonlyMap<string, PlatformKind>,
): { readonly text: string; readonly variables: readonly string[] } {
  const variables: string[] = [];
  const variable = (platform: string, what: string): string => {
    const named = `${platform}_${what}`.toUpperCase().replaceAll('-', '_');
    variables.push(named);
    return `"\${${named}}"`;
  };
  const deploys = [...platforms.values()].some((kind) => kind !== 'static');
  const blocks = [...platforms].map(([platform, kind]) =>
    block(platform, kind, name, (what) => variable(platform, what)),
  );
  const text = `# Where ${name} lives, and how it fails over. All keys: docs/configuration.md; \`sluice validate\` checks the file.
version: 1

platforms:
${blocks.join('\n')}

applications:
  ${name}:
${deploys ? sourceLines(source, command, from) : '    # Nothing is deployed: all its platforms are static.\n'}    # The path that answers 2xx or 3xx when the application is well.
    health: { path: / }
    # Where a response names its release, so that a deployment can be proven; the application gets it as SLUICE_RELEASE:
    # health: { path: /healthz, release: { header: x-release } }
    # env: { LOG_LEVEL: info, DB_URL: "$\${DB_URL}" }
    targets:
${[...platforms.keys()].map((platform) => `      ${platform}: {}`).join('\n')}
    # Tier 1 shares the traffic by weight, tier 2 takes what tier 1 cannot: { tier: 1, weight: 60 }

gateway:
  listen: [{ port: 8080 }]
  admin: { port: 9901 }
`;
  return { text, variables };
}

function sourceLines(source: string, command: string | undefined, from: string | undefined): string {
  const written = command === undefined ? undefined : JSON.stringify(command);
  const how =
    written === undefined
      ? '    # The command that starts one instance; it listens on $PORT. Left out, the platform looks for one.\n    # command: node server.js\n'
      : `${from === undefined ? '' : `    # As ${from} says; it must listen on $PORT.\n`}    command: ${written}\n`;
  return `    source: ${JSON.stringify(source)}\n${how}    instances: 2\n    memory: 256Mi\n`;
}

function block(
  platform: string,
  kind: PlatformKind,
  application: string,
  secret: (what: string) => string,
): string {
  switch (kind) {
    case 'cloudfoundry':
      return `  ${platform}:
    provider: cloudfoundry
    api: https://api.cf.example.com # as given to \`cf api\`
    org: my-org
    space: my-space
    domain: apps.cf.example.com # the default route is ${application}.<domain>
    credentials: { username: ${secret('user')}, password: ${secret('password')} }`;
    case 'openshift':
      return `  ${platform}:
    provider: openshift
    api: https://api.ocp.example.com:6443
    namespace: my-project
    credentials: { token: ${secret('token')} } # of a service account with the role \`edit\``;
    case 'selfhosted':
      return `  ${platform}:
    provider: selfhosted # \`sluice host\` on this machine
    driver: process`;
    case 'static':
      return `  ${platform}:
    provider: static # runs already; nothing is deployed there
    origins: ["http://127.0.0.1:3000"]`;
  }
}
