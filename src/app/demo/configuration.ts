/** Addresses and credentials of the local platforms, as they print them. */
export interface LocalFacts {
  readonly cf: Readonly<Record<string, unknown>>;
  readonly ocp: Readonly<Record<string, unknown>>;
  readonly hostSocket: string;
  readonly ledger: string;
}

/** What a user would write for these three platforms; secrets come from the environment, as they should. */
export function demoConfiguration(facts: LocalFacts): { text: string; secrets: Record<string, string> } {
  const cf = facts.cf['credentials'] as { username: string; password: string };
  const ocp = facts.ocp['credentials'] as { token: string };
  const text = `version: 1
platforms:
  cf:
    provider: cloudfoundry
    api: ${facts.cf['api']}
    router: ${facts.cf['router']}
    org: demo
    space: dev
    domain: apps.cf.localhost
    credentials: { username: "\${DEMO_CF_USER}", password: "\${DEMO_CF_PASSWORD}" }
  ocp:
    provider: openshift
    api: ${facts.ocp['api']}
    router: ${facts.ocp['router']}
    namespace: shop
    credentials: { token: "\${DEMO_OCP_TOKEN}" }
  rack:
    provider: selfhosted
    driver: process
    socket: ${facts.hostSocket}
applications:
  shop:
    source: ./shop
    command: node server.js
    instances: 2
    memory: 128Mi
    env: { LEDGER_DIR: "${facts.ledger}", SESSION_KEY: "\${DEMO_SESSION_KEY}" }
    health: { path: /healthz, release: { header: x-release } }
    targets:
      cf: { tier: 1, weight: 40 }
      ocp: { tier: 1, weight: 40 }
      rack: { tier: 1, weight: 20 }
    policy: demo
gateway:
  listen: [{ host: 127.0.0.1, port: 8080 }]
`;
  return {
    text,
    secrets: {
      DEMO_CF_USER: cf.username,
      DEMO_CF_PASSWORD: cf.password,
      DEMO_OCP_TOKEN: ocp.token,
      DEMO_SESSION_KEY: 'a-session-key-for-the-demo',
    },
  };
}
