import { providerConformance } from '../../conformance/provider.ts';
import { korifiHarness } from './korifi-harness.ts';

providerConformance('cloudfoundry in mode korifi', korifiHarness, {
  ...{ prefix: 'conf', slowness: 1 },
  without: ['tasks', 'events', 'process restart'],
});
