import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { trialsSuite } from './trials-suite.ts';

trialsSuite('compat', createCompatWire);
trialsSuite('http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true }));
