import { providerConformance } from '../../conformance/provider.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { providerAt, testHost } from './host-harness.ts';

providerConformance('selfhosted', async () => {
  const host = await testHost('keep');
  return {
    platform: 'rack',
    // The daemon itself goes and comes back: what it owns must serve on meanwhile.
    faults: ['api-down'],
    provider: host.provider,
    setFault: (_fault, on) => (on ? host.stop() : host.start()),
    request: (origin, path) => requestOrigin(origin, path),
    unreachable: () => providerAt('/tmp/nobody-listens-here.sock'),
    services: {
      kept: { key: 'path', spec: { name: 'files', source: { how: 'volume' } } },
      dropped: { key: 'path', spec: { name: 'cache', source: { how: 'volume' } } },
      volume: { name: 'files', source: { how: 'volume' } },
    },
    close: host.end,
  };
});
