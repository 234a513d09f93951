import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { exchangeSuite } from '../exchange-suite.ts';

exchangeSuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
