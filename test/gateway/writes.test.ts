import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { writesSuite } from './writes-suite.ts';

writesSuite('compat', createCompatWire);
writesSuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
