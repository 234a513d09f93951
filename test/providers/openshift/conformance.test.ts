import type { Fault } from '../../../src/lib/faults.ts';
import { type ProviderHarness, providerConformance } from '../../conformance/provider.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { NAMESPACE, openLocal, PLATFORM } from './local-harness.ts';

const FAULTS: readonly Fault[] = [
  'api-down',
  'api-slow',
  'api-429',
  'api-502',
  'api-401-once',
  'build-fails',
  'crash-loop',
  'quota-exceeded',
];

providerConformance('openshift', async (): Promise<ProviderHarness> => {
  const harness = await openLocal();
  return {
    platform: PLATFORM,
    faults: FAULTS,
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
