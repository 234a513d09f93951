// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY, type GatewaySettings, type RouteSettings } from '../../src/core/settings.ts';
import { FOLDER, faultsOf, loadText, soundFile } from './support.ts';

function gatewayOf(root: string, env: Readonly<Record<string, string>> = {}): GatewaySettings {
  const { settings, diagnostics } = loadText(soundFile({ root: `gateway:\n  ${root}\n` }), { env });
  if (settings === undefined) throw new Error(JSON.stringify(diagnostics));
  return settings.gateway;
}

function routeOf(route: string): RouteSettings | undefined {
  const text = soundFile({ application: `routes: [${route}]` })
    .replace('platforms:', 'platforms:\n  there: { provider: static, origins: ["http://127.0.0.1:2"] }')
    .replace('{ here: {} }', '{ here: {}, there: {} }');
  const { settings, diagnostics } = loadText(text);
  expect(diagnostics).toEqual([]);
  return settings?.applications['shop']?.routes[0];
}

describe('the gateway in the file', () => {
  it('left out is the default', () => {
    expect(loadText(soundFile()).settings?.gateway).toEqual(DEFAULT_GATEWAY);
    expect(gatewayOf('limits: {}')).toEqual(DEFAULT_GATEWAY);
  });

  it('says every limit', () => {
    const given = gatewayOf(
      'limits: { queue: 7, target: 4Ki, fields: 50, perAddress: 20, perConnection: 1000, minRate: 1Ki }',
    );
    expect(given.limits).toEqual({
      ...DEFAULT_GATEWAY.limits,
      queue: 7,
      targetBytes: 4096,
      fields: 50,
      perAddress: 20,
      perConnection: 1000,
      minRate: 1024,
    });
  });

  it('says every deadline', () => {
    const given = gatewayOf('timeouts: { header: 5s, queue: 0s, upgrade: 1h, dns: 10s, stopDelay: 3s }');
    expect(given.timeouts).toEqual({
      ...DEFAULT_GATEWAY.timeouts,
      headerMs: 5_000,
      queueMs: 0,
      upgradeMs: 3_600_000,
      dnsMs: 10_000,
      stopDelayMs: 3_000,
    });
  });

  it('says what HTTP/2 may', () => {
    const given = gatewayOf('http2: { maxConcurrentStreams: 10, resetsPerSecond: 5, headerList: 16Ki }');
    expect(given.http2).toEqual({
      maxConcurrentStreams: 10,
      resetsPerSecond: 5,
      controlFramesPerSecond: DEFAULT_GATEWAY.http2.controlFramesPerSecond,
      headerListBytes: 16_384,
    });
    expect(gatewayOf('listen: [{ port: 1, http2: true }]').listen).toEqual([
      { host: '0.0.0.0', port: 1, http2: true },
    ]);
  });

  it.each([
    ['{}', { format: 'json', file: '-' }],
    ['{ file: "-", format: combined }', { format: 'combined', file: '-' }],
    ['{ file: logs/access.log }', { format: 'json', file: `${FOLDER}/logs/access.log` }],
    ['{ file: /var/log/access.log }', { format: 'json', file: '/var/log/access.log' }],
  ])('logs to where %s says', (given, expected) => {
    expect(gatewayOf(`accessLog: ${given}`).accessLog).toEqual(expected);
  });

  it('takes the key of affinity as a secret', () => {
    const key = 'k3y-k3y-k3y-k3y-k3y';
    expect(gatewayOf('affinity: { key: "${KEY}" }', { KEY: key }).affinityKey).toBe(key);
    const [warned] = faultsOf(soundFile({ root: `gateway: { affinity: { key: ${key} } }\n` }));
    expect(warned).toContain('warning gateway.affinity.key: a secret stands in clear');
    expect(
      faultsOf(soundFile({ root: 'gateway: { affinity: { key: "${KEY}" } }\n' }), { env: { KEY: 'brief' } }),
    ).toEqual([expect.stringContaining('gateway.affinity.key: too short — at least 16 characters')]);
  });
});

describe('routes', () => {
  it.each([
    ['{ rateLimit: 100rps }', { rps: 100, burst: 100, by: 'address' }],
    ['{ rateLimit: 30rpm }', { rps: 0.5, burst: 1, by: 'address' }],
    ['{ rateLimit: { rps: 5, burst: 50 } }', { rps: 5, burst: 50, by: 'address' }],
    ['{ rateLimit: { rps: 5, by: X-Api-Key } }', { rps: 5, burst: 5, by: { field: 'x-api-key' } }],
  ])('%s limit each client', (route, expected) => {
    expect(routeOf(route)?.rateLimit).toEqual(expected);
  });

  it('say nothing of what is not asked for', () => {
    expect(routeOf('{ affinity: true }')).toEqual(expect.objectContaining({ affinity: true }));
    expect(Object.keys(routeOf('{ affinity: false }') ?? {})).toEqual([
      'host',
      'path',
      'publicHost',
      'retry',
    ]);
  });

  it.each([
    ['rateLimit: 100rpx', 'not a rate — write requests with their unit: 100rps or 600rpm'],
    ['rateLimit: 5rps/instance', 'clients have no instances — write 100rps'],
    ['rateLimit: 0rps', 'nobody could pass — write 1rpm or more'],
    ['rateLimit: { burst: 3 }', '"rps" is missing — add `rps:` (a number)'],
    ['rateLimit: { rps: 3, by: "a b" }', 'not a header name — address, or for example x-api-key'],
  ])('%s is refused', (route, fault) => {
    const [first = ''] = faultsOf(soundFile({ application: `routes: [{ ${route} }]` }));
    expect(first).toContain(fault);
  });

  it('with affinity to a single platform are warned of', () => {
    expect(faultsOf(soundFile({ application: 'routes: [{ affinity: true }]' }))).toEqual([
      '7:26 warning applications.shop.routes[0].affinity: has no effect: there is one platform only — remove it, or add a target',
    ]);
  });
});
