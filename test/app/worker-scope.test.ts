import { describe, expect, it } from '@jest/globals';
import { workerEnvironment, workerSettings } from '../../src/app/worker-scope.ts';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';

describe('what a worker may know', () => {
  it('is nothing of the environment but what Node needs: the rest is removed by name', () => {
    const env = {
      PATH: '/bin',
      CF_PASSWORD: 'canary-1',
      SLUICE_TOKEN: 'canary-2',
      NODE_EXTRA_CA_CERTS: '/ca',
    };
    const given = workerEnvironment(env, 3);
    expect(given).toEqual({
      CF_PASSWORD: undefined,
      SLUICE_TOKEN: undefined,
      SLUICE_ROLE: 'worker',
      SLUICE_WORKER: '3',
    });
    // node:cluster lays it over its own environment.
    expect({ ...env, ...given }).toMatchObject({ PATH: '/bin', NODE_EXTRA_CA_CERTS: '/ca' });
  });

  it('is no token of the admin API', () => {
    const tokens = { ci: { token: 'canary-3', role: 'admin' as const } };
    const gateway = { ...DEFAULT_GATEWAY, admin: { ...DEFAULT_GATEWAY.admin, tokens } };
    const listen = [{ host: '127.0.0.1', port: 4_711 }];
    const settings = workerSettings(gateway, { listen, ticketKeys: 'AAAA' });
    expect(JSON.stringify(settings)).not.toContain('canary');
    expect(settings.listen).toEqual(listen);
    expect(settings.timeouts).toEqual(gateway.timeouts);
  });
});
