import { appendFileSync } from 'node:fs';
import { requestOrigin } from '../../support/request-origin.ts';
import { type ProviderHarness, providerConformance } from '../provider.ts';
import { type Endpoint, endpointsIn } from './endpoints.ts';
import { openReal, platformOf } from './open-real.ts';

const MEBIBYTE = 1024 * 1024;
/** Nobody: a wrong password for a real user would bring the account closer to being locked. */
const STRANGERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cloudfoundry: { credentials: { username: 'sluice-conformance-nobody', password: 'wrong' } },
  openshift: { credentials: { token: 'sha256~wrong' } },
};

const { SLUICE_REAL_PREFIX: prefix = 'slc', SLUICE_REAL_LEFT_OUT: leftOut } = process.env;

for (const found of endpointsIn(process.env)) {
  if (!('endpoint' in found)) continue;
  const { endpoint } = found;
  providerConformance(endpoint.kind, async () => harnessOf(endpoint), {
    prefix,
    slowness: Number(process.env['SLUICE_REAL_SLOWNESS'] ?? 12),
    memoryBytes: 128 * MEBIBYTE,
  });
}

function harnessOf(endpoint: Endpoint): ProviderHarness {
  const { ca } = endpoint.options;
  const stranger = STRANGERS[endpoint.kind];
  const nowhere =
    endpoint.kind === 'selfhosted' ? { socket: '/nowhere/host.sock' } : { api: 'http://127.0.0.1:1' };
  return {
    platform: platformOf(endpoint),
    // A real platform cannot be told to misbehave: those cases are held against the local ones.
    faults: [],
    provider: () => openReal(endpoint),
    setFault: async () => undefined,
    request: (origin, path) => requestOrigin(origin, path, typeof ca === 'string' ? { ca } : {}),
    unreachable: () => openReal(endpoint, nowhere),
    ...(stranger === undefined ? {} : { wrongCredentials: () => openReal(endpoint, stranger) }),
    leftOut(test) {
      if (leftOut !== undefined) appendFileSync(leftOut, `${test}\n`);
    },
    pollMs: 1_000,
    close: async () => undefined,
  };
}
