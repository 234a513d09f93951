import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { identitySuite } from './identity-suite.ts';

identitySuite('compat', createCompatWire);
identitySuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
