import type { AccessMode, ServiceSource } from '../../../src/core/services.ts';
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

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

function volume(accessMode: AccessMode, storageClass?: string): ServiceSource {
  const claim = { sizeBytes: 1_073_741_824, mount: '/data/files', accessMode };
  return { how: 'volume', claim: storageClass === undefined ? claim : { ...claim, storageClass } };
}

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
    services: {
      kept: { key: 'path', spec: { name: 'files', source: volume('ReadWriteOnce', 'first-consumer') } },
      dropped: { key: 'path', spec: { name: 'media', source: volume('ReadWriteMany') } },
      volume: { name: 'files', source: volume('ReadWriteOnce', 'first-consumer') },
      async borrow(application, { name }) {
        const claim = { claimName: `${application}-${name}` };
        await harness.create(PODS, {
          ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'reader' } },
          spec: {
            containers: [{ name: 'reader', image: 'elsewhere/reader:1' }],
            volumes: [{ name: 'files', persistentVolumeClaim: claim }],
          },
        });
        return () => harness.remove(`${PODS}/reader`);
      },
    },
    close: harness.close,
  };
});
