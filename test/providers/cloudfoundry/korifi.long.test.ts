import { providerConformance } from '../../conformance/provider.ts';
import { korifiHarness } from './korifi-harness.ts';

providerConformance('cloudfoundry in mode korifi', korifiHarness);
