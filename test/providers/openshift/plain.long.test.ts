import type { Fault } from '../../../src/lib/faults.ts';
import { type ProviderHarness, providerConformance } from '../../conformance/provider.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { NAMESPACE, PLATFORM } from './local-harness.ts';
import { openPlain } from './plain-harness.ts';

/** All that a provider must do, on a plain Kubernetes: no Routes, no builds. */
const FAULTS: readonly Fault[] = [
  'api-down',
  'api-slow',
  'api-429',
  'api-502',
  'api-401-once',
  'crash-loop',
  'quota-exceeded',
];

providerConformance('openshift on plain Kubernetes', async (): Promise<ProviderHarness> => {
  const harness = await openPlain();
  return {
    platform: PLATFORM,
    faults: FAULTS,
    isPrebuilt: true,
    provider: () => harness.provider(),
    setFault: async (fault, on) => harness.local.setFault(fault, on),
    request: (origin, path) => requestOrigin(origin, path),
    unreachable: () => harness.provider({ api: 'http://127.0.0.1:1' }),
    wrongCredentials: () => harness.provider({ token: 'sha256~wrong' }),
    plantForeign: (application) =>
      harness.create(`/api/v1/namespaces/${NAMESPACE}/services`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: application },
        spec: { ports: [{ port: 80 }] },
      }),
    close: harness.close,
  };
});
