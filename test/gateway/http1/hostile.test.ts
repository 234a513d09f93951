import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { hostileSuite } from '../hostile-suite.ts';

hostileSuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
