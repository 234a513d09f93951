import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { outageSuite } from './outage-suite.ts';

outageSuite('compat', createCompatWire);
outageSuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
