import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { exchangeSuite } from './exchange-suite.ts';

exchangeSuite('compat', createCompatWire);
