import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { exchangeSuite } from './exchange-suite.ts';
import { hostileSuite } from './hostile-suite.ts';

exchangeSuite('compat', createCompatWire);
hostileSuite('compat', createCompatWire);
