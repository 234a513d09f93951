import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { clientsSuite } from './clients-suite.ts';

clientsSuite('compat', createCompatWire);
clientsSuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
