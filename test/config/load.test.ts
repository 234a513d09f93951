// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadSettingsFile } from '../../src/config/load.ts';
import { SluiceError } from '../../src/core/errors.ts';
import {
  DEFAULT_GATEWAY,
  DEFAULT_HEALTH,
  DEFAULT_POLICY,
  DEFAULT_PROCESS,
  type Settings,
} from '../../src/core/settings.ts';
import { faultsOf, type LoadTextOptions, loadText, PROVIDERS, soundFile } from './support.ts';

const MIB = 1024 ** 2;

function settingsOf(text: string, options: LoadTextOptions = {}): Settings {
  const loaded = loadText(text, options);
  if (loaded.settings === undefined) throw new Error(JSON.stringify(loaded.diagnostics, undefined, 1));
  return loaded.settings;
}

function application(lines: string, options: LoadTextOptions = {}) {
  const shop = settingsOf(soundFile({ application: lines }), options).applications['shop'];
  if (shop === undefined) throw new Error('no application shop');
  return shop;
}

describe('a sound file', () => {
  it('needs no more than a platform and an application', () => {
    const settings = settingsOf(soundFile());
    expect(settings.file).toBe('/etc/sluice/sluice.yaml');
    expect(settings.gateway).toEqual(DEFAULT_GATEWAY);
    expect(settings.state).toEqual({ dir: '/etc/sluice/.sluice' });
    expect(settings.secrets).toEqual([]);
    expect(settings.platforms['here']).toEqual({
      name: 'here',
      provider: 'static',
      options: { origins: ['http://127.0.0.1:1'] },
    });
    expect(settings.applications['shop']).toEqual({
      name: 'shop',
      source: undefined,
      process: DEFAULT_PROCESS,
      env: {},
      secretEnv: [],
      health: DEFAULT_HEALTH,
      data: { writes: 'anywhere' },
      routes: [{ host: '*', path: '/', publicHost: 'rewrite', retry: 'safe' }],
      targets: [
        {
          platform: 'here',
          tier: 1,
          weight: 1,
          instances: 1,
          env: {},
          capacityRpsPerInstance: undefined,
          capacityRps: undefined,
        },
      ],
      policy: DEFAULT_POLICY,
      startTimeoutMs: 60_000,
    });
  });

  it('fills in the example of the design', () => {
    const settings = settingsOf(readFileSync('config/examples/three-platforms.yaml', 'utf8'), {
      env: {
        CF_USER: 'ada',
        CF_PASSWORD: 'pw-12345',
        DB_URL: 'postgres://u:dbpw123@h/x',
        SLUICE_CI_TOKEN: 'tok-12345678',
      },
      files: { '/run/secrets/ocp': 'sha256~abc\n' },
    });
    const shop = settings.applications['shop'];
    expect(shop?.process).toEqual({ command: 'node server.js', instances: 2, memoryBytes: 256 * MIB });
    expect(shop?.source).toEqual({ kind: 'path', path: '/examples/shop' });
    expect(
      shop?.targets.map((target) => [target.platform, target.tier, target.weight, target.instances]),
    ).toEqual([
      ['cf-eu', 1, 60, 4],
      ['ocp-us', 1, 40, 2],
      ['rack', 2, 1, 2],
    ]);
    expect(shop?.targets[0]).toMatchObject({
      capacityRpsPerInstance: 90,
      capacityRps: undefined,
      env: { REGION: 'eu' },
    });
    expect(shop?.routes).toEqual([{ host: 'shop.example.com', path: '/', publicHost: 'map', retry: 'safe' }]);
    expect(shop?.health).toMatchObject({
      path: '/healthz',
      everyMs: 1000,
      timeoutMs: 500,
      release: { header: 'x-release' },
    });
    expect(shop?.secretEnv).toEqual(['DB_URL']);
    expect(settings.gateway.workers).toBe(2);
    expect(settings.gateway.admin.tokens).toEqual({ ci: { token: 'tok-12345678', role: 'operate' } });
    expect(settings.platforms['ocp-us']?.options).toMatchObject({ credentials: { token: 'sha256~abc' } });
    expect(settings.secrets).toEqual(
      expect.arrayContaining(['ada', 'pw-12345', 'dbpw123', 'tok-12345678', 'sha256~abc']),
    );
  });

  it('takes the process web for the application itself', () => {
    const shop = application('processes: { web: { command: node a.js, memory: 1G } }\ninstances: 3');
    expect(shop.process).toEqual({ command: 'node a.js', instances: 3, memoryBytes: 1024 * MIB });
    expect(shop.targets[0]?.instances).toBe(3);
  });

  it('maps a named host, rewrites for any host, and lowers case', () => {
    const shop = application('routes: [{ host: Shop.Example.com, path: /a/ }, { path: /b }]');
    expect(shop.routes).toEqual([
      { host: 'shop.example.com', path: '/a', publicHost: 'map', retry: 'safe' },
      { host: '*', path: '/b', publicHost: 'rewrite', retry: 'safe' },
    ]);
  });

  it('takes environment values as they are written', () => {
    const shop = application('env: { VERSION: 1.10, FLAG: true, OCTAL: 010, TEXT: "1", NEGATIVE: -3 }');
    expect(shop.env).toEqual({ VERSION: '1.10', FLAG: 'true', OCTAL: '010', TEXT: '1', NEGATIVE: '-3' });
  });

  it('counts variables that are called a secret among the secret ones', () => {
    expect(application('env: { DB_PASSWORD: in-clear-1, MODE: x }').secretEnv).toEqual(['DB_PASSWORD']);
  });

  it('probes by tcp when asked to', () => {
    expect(application('health: { probe: tcp, every: 250ms }').health).toMatchObject({
      path: undefined,
      everyMs: 250,
    });
  });

  it('takes one status or a range', () => {
    expect(
      application('health: { body: "all is well", headers: { x-key: a }, deep: { path: /readyz } }').health,
    ).toMatchObject({
      body: { contains: 'all is well' },
      headers: { 'x-key': 'a' },
      deep: { path: '/readyz', everyMs: 10_000, timeoutMs: 2_000 },
    });
    expect(application('health: { body: /all .* well/ }').health.body).toEqual({ matches: 'all .* well' });
    expect(application('health: { status: 204 }').health.status).toEqual({ from: 204, to: 204 });
    expect(application('health: { status: 200-499 }').health.status).toEqual({ from: 200, to: 499 });
  });

  it('lets x- keys pass at every level, and aliases to them work', () => {
    const settings = settingsOf(`x-note: 1
x-web: &web { path: /healthz, x-why: because, every: 2s }
version: 1
platforms:
  x-base: { anything: goes }
  here: { provider: static, origins: ["http://127.0.0.1:1"], x-owner: me }
applications:
  a: { x-team: { any: thing }, health: *web, targets: { here: } }
  b: { health: { <<: *web, every: 3s }, routes: [{ path: /b, x-y: 1 }], targets: { here: { x-z: 1 } } }
`);
    expect(settings.applications['a']?.health).toMatchObject({ path: '/healthz', everyMs: 2000 });
    expect(settings.applications['b']?.health).toMatchObject({ path: '/healthz', everyMs: 3000 });
  });

  it('reads every key of the gateway', () => {
    const settings = settingsOf(
      soundFile({
        root: `gateway:
  wire: compat
  workers: 3
  listen: [{ port: 80 }, { host: 127.0.0.1, port: 0 }]
  admin: { host: 0.0.0.0, port: 9000, tokens: { ci: { token: 0123456789abcdef, role: admin } } }
  limits: { head: 8K, body: 2G, replay: 1M, perOrigin: 10 }
  timeouts: { connect: 1s, head: 2s, idle: 3s, upstreamKeepAlive: 4s, clientKeepAlive: 5s, drain: 6s }
  retryBudget: { ratio: 10%, min: 1 }
  stall: { floor: 100ms, p99Factor: 3, probe: 50ms }
  ejection: { consecutive: 2, failureRatio: 0.4, minRequests: 9, window: 5s, base: 1s, max: 1m }
  trustedProxies: [10.0.0.0/8, "::1"]
`,
      }),
    );
    expect(settings.gateway).toEqual({
      wire: 'compat',
      workers: 3,
      listen: [
        { host: '0.0.0.0', port: 80 },
        { host: '127.0.0.1', port: 0 },
      ],
      admin: { host: '0.0.0.0', port: 9000, tokens: { ci: { token: '0123456789abcdef', role: 'admin' } } },
      http2: DEFAULT_GATEWAY.http2,
      limits: {
        ...DEFAULT_GATEWAY.limits,
        headBytes: 8192,
        bodyBytes: 2 * 1024 * MIB,
        replayBytes: MIB,
        perOrigin: 10,
      },
      timeouts: {
        ...DEFAULT_GATEWAY.timeouts,
        connectMs: 1000,
        headMs: 2000,
        idleMs: 3000,
        upstreamKeepAliveMs: 4000,
        clientKeepAliveMs: 5000,
        drainMs: 6000,
      },
      retryBudget: { ratio: 0.1, min: 1 },
      stall: { floorMs: 100, p99Factor: 3, probeMs: 50 },
      ejection: {
        consecutive: 2,
        failureRatio: 0.4,
        minRequests: 9,
        windowMs: 5000,
        baseMs: 1000,
        maxMs: 60_000,
      },
      trustedProxies: ['10.0.0.0/8', '::1'],
    });
  });

  it('makes paths absolute from the folder of the file, and ~ from HOME', () => {
    const text = soundFile({ application: 'source: ../app', root: 'state: { dir: ~/s }\n' });
    const settings = settingsOf(text, { env: { HOME: '/home/ada' } });
    expect(settings.applications['shop']?.source).toEqual({ kind: 'path', path: '/etc/app' });
    expect(settings.state.dir).toBe('/home/ada/s');
  });

  it('reads a certificate from the file that `ca` names, or takes the text itself', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const text = (ca: string) => `version: 1
platforms:
  cf: { provider: cloudfoundry, api: https://a, org: o, space: s, ca: ${ca}, credentials: { username: u, password: "\${P}" } }
applications:
  shop: { source: ., targets: { cf: } }
`;
    const options = {
      env: { P: 'secret-1', PEM: pem },
      files: { '/etc/sluice/certs/cf.pem': pem, '/etc/sluice/x.pem': 'no' },
    };
    expect(settingsOf(text('certs/cf.pem'), options).platforms['cf']?.options).toMatchObject({ ca: pem });
    expect(settingsOf(text('"${PEM}"'), options).platforms['cf']?.options).toMatchObject({ ca: pem });
    expect(faultsOf(text('x.pem'), options)).toEqual([
      '3:71 error platforms.cf.ca: this file holds no certificate — it must be PEM: -----BEGIN CERTIFICATE-----',
    ]);
    expect(faultsOf(text('gone.pem'), options)[0]).toContain('cannot read the certificate: no such file');
  });
});

describe('a file with faults', () => {
  it('is told all of them at once, each at its place, sorted, with a remedy', () => {
    const faults = faultsOf(`version: 2
platforms:
  cf: { provider: cloudfoundry, api: nope, org: x, credentials: { username: "\${U}", password: "\${P}" }, retires: 1 }
  Bad_Name: { provider: statik, origins: [] }
applications:
  shop:
    sauce: ./x
    instances: 0
    memory: 256
    health: { every: 5, fall: "3", helth: 1 }
    targets:
      cff: { tier: 1, capacity: 9 }
      Bad_Name:
  two:
    targets: {}
gateway:
  listen: [{ port: 8080 }, { port: 8080 }]
  workers: two
`);
    expect(faults).toEqual([
      '1:10 error version: not a known value — only 1 is known',
      '3:3 error platforms.cf.space: "space" is missing — add `space:` (a text)',
      '3:7 warning platforms.cf: no application runs here — name it in `targets`, or remove it',
      '3:38 error platforms.cf.api: must begin with http:// or https:// — with scheme and host: https://api.example.com',
      '3:77 error platforms.cf.credentials.username: environment variable U is not set — set U, or write $${U} if these very characters are meant',
      '3:95 error platforms.cf.credentials.password: environment variable P is not set — set P, or write $${P} if these very characters are meant',
      '3:105 error platforms.cf.retires: unknown key — did you mean "retries"?',
      '4:3 error platforms.Bad_Name: not a name for a platform — lower-case letters, digits and dashes, a letter first, at most 40 characters',
      '4:25 error platforms.Bad_Name.provider: no provider has this name — did you mean "static"?',
      '7:5 error applications.shop.sauce: unknown key — did you mean "source"?',
      '8:16 error applications.shop.instances: too small — at least 1',
      '9:13 error applications.shop.memory: not a size — write a number with its unit: 512K, 256M or 1G',
      '10:22 error applications.shop.health.every: not a duration — write a number with its unit: 500ms, 1s, 2m or 1h',
      '10:31 error applications.shop.health.fall: must be a number — it is a text now; remove the quotes',
      '10:36 error applications.shop.health.helth: unknown key — known here: body, deep, headers, path, probe, release, rise, status, timeout',
      '12:7 error applications.shop.targets.cff: no platform has this name — did you mean "cf"?',
      '12:33 error applications.shop.targets.cff.capacity: not a rate — write requests with their unit: 90rps, 90rps/instance or 5400rpm',
      '14:3 error applications.two: application shop has every host at / already — give it another host or path',
      '15:14 error applications.two.targets: the application runs nowhere — name a platform: cf, Bad_Name',
      '17:36 error gateway.listen[1].port: listen[0] has this port already — take another port',
      '18:12 error gateway.workers: must be a number — it is a text now',
    ]);
  });

  it.each([
    ['', '1:1 error the file is empty — '],
    ['# nothing\n', '1:1 error the file is empty — '],
    ['- a\n', '1:1 error must be a map — it is a list now'],
    ['a:\n\tb: 1\n', '2:1 error a tab indents this line — '],
    [
      'a: {b: ${X}}\n',
      '1:9 error a reference inside {…} or […] needs quotes — write "${NAME}" with the quotes',
    ],
    ['a: 1\n---\nb: 2\n', '2:1 error a second document begins here — '],
    ['a: "x\n', '2:1 error something is not closed — '],
    ['a: b: c\n', '1:4 error a second colon on this line — '],
  ])('with broken YAML %j gets one fault and no echoes', (text, expected) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(expected);
  });

  it('with a key given twice is told where, and all the rest too', () => {
    const faults = faultsOf(`${soundFile({ application: 'instances: 1\ninstances: 2\ncomand: x' })}`);
    expect(faults).toEqual([
      '8:5 error this key stands here twice — keep one of the two',
      '9:5 error applications.shop.comand: unknown key — did you mean "command"?',
    ]);
  });

  it('with numbers, lists or nothing for keys is refused and cannot touch prototypes', () => {
    const faults = faultsOf(`${soundFile()}__proto__: { a: 1 }\n? [1]\n: 2\n1: 2\n`);
    expect(faults).toEqual([
      '7:1 error this cannot be a key — keys are plain words',
      '8:3 error this cannot be a key — keys are plain words',
      expect.stringMatching(/^10:1 error 1: unknown key — /),
    ]);
    expect(Object.prototype).not.toHaveProperty('a');
  });

  it.each(['constructor', 'tostring', 'valueof'])('called %s is an unknown name like any other', (name) => {
    const text = soundFile()
      .replace('provider: static', `provider: ${name}`)
      .replace('here: {} }', `here: {}, ${name}: {} }`);
    expect(faultsOf(text).map((fault) => fault.split(' — ')[0])).toEqual([
      '3:21 error platforms.here.provider: no provider has this name',
      `6:26 error applications.shop.targets.${name}: no platform has this name`,
    ]);
  });

  it.each([
    ['routes: [{ host: "*", publicHost: map }]', 'map needs a host name'],
    ['routes: [{ host: http://x }]', 'not a host name'],
    [
      'routes: [{ host: a.example }, { host: A.example, path: / }]',
      'this application has a.example/ already',
    ],
    ['routes: [{ path: shop }]', 'not a path'],
    ['routes: []', 'is empty'],
    ['targets: { here: { weight: 0 } }', 'all weights of tier 1 are 0'],
    ['targets: { here: { capacity: 9rps/instance } }', 'a static platform has no instances'],
    ['targets: { here: { instances: 2 } }', 'has no effect: nothing is deployed to a static platform'],
    ['command: a\nprocesses: { web: { command: b } }', 'command is given twice'],
    ['health: { probe: tcp, path: /x }', 'a tcp probe only connects'],
    ['health: { release: { header: a, json: b } }', 'exactly one of header and json'],
    ['health: { release: { header: "a b" } }', 'not a header name'],
    ['health: { every: 1ms }', 'too little — at least 50ms'],
    ['health: { probe: tcp, deep: { path: /x } }', 'a tcp probe only connects'],
    ['health: { headers: { Host: a } }', 'a probe sets this field itself'],
    ['health: { headers: { "a b": a } }', 'not a header name'],
    ['health: { headers: { x-a: "1\\r\\nx-b: 2" } }', 'not a header value'],
    ['health: { body: "/(/" }', 'not a regular expression'],
    ['health: { status: 600 }', 'not a status'],
    ['env: { "A-B": 1 }', 'not a name for a variable'],
    ['env: { SLUICE_X: 1 }', 'Sluice or the platform sets this variable itself'],
    ['env: { A: }', 'has no value'],
    ['env: { A: [1] }', 'must be a text'],
    ['source: https://git.example.com/shop.git', 'an address and no file'],
    ['source: ~/shop', 'HOME is not set'],
    ['policy: 3', 'must be a text or a map'],
    ['startTimeout: 25d', 'too long a duration'],
  ])('such as %j is told: %s', (lines, expected) => {
    const text = lines.startsWith('targets')
      ? soundFile().replace('targets: { here: {} }', lines)
      : soundFile({ application: lines });
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(expected);
  });

  it.each([
    ['admin: { host: 0.0.0.0 }', 'without tokens the admin API answers on loopback only'],
    ['admin: { tokens: { a: { token: same-token }, b: { token: same-token } } }', 'the same token as a'],
    ['admin: { tokens: { a: { token: seven77 } } }', 'too short — at least 8 characters'],
    ['listen: [{ port: 9901 }]', 'the admin API has this port already'],
    ['listen: [{ port: 70000 }]', 'too big — at most 65535'],
    ['trustedProxies: [10.0.0.0/33]', 'not an address or network'],
    ['retryBudget: { ratio: 20 }', 'not a part of a whole'],
    ['workers: 1.5', 'must be a whole number'],
  ])('in the gateway such as %j is told: %s', (lines, expected) => {
    const faults = faultsOf(soundFile({ root: `gateway: { ${lines} }\n` }));
    expect(faults.filter((fault) => fault.includes(' error '))).toEqual([expect.stringContaining(expected)]);
  });

  it('that names a platform to deploy to but no source is told', () => {
    const text = soundFile().replace(
      'provider: static, origins: ["http://127.0.0.1:1"]',
      'provider: selfhosted, driver: process',
    );
    expect(faultsOf(text)).toEqual([
      '5:3 error applications.shop: nothing to deploy to here — add `source:` with the folder of the application, `git:` or `image:`',
    ]);
  });

  it('lets two listeners share a port on different addresses', () => {
    const listen = (a: string, b: string) =>
      soundFile({ root: `gateway: { listen: [{ host: ${a}, port: 1 }, { host: ${b}, port: 1 }] }\n` });
    expect(faultsOf(listen('127.0.0.1', '127.0.0.2'))).toEqual([]);
    expect(faultsOf(listen('127.0.0.1', '0.0.0.0'))).toHaveLength(1);
  });

  it('is not there: one fault, with what to do', () => {
    try {
      loadSettingsFile('gone.yaml', { cwd: '/nowhere', env: {}, providers: PROVIDERS });
      throw new Error('did not throw');
    } catch (caught) {
      expect(caught).toBeInstanceOf(SluiceError);
      const error = SluiceError.from(caught);
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.exitStatus).toBe(64);
      expect(error.details.why).toBe(
        'gone.yaml:1:1 error cannot read the configuration: no such file — name the file with -f FILE, or give origins: sluice serve --origin a=URL',
      );
    }
  });
});
