import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDERS } from '../../providers/registry.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { packageRoot } from '../config/presets.ts';

// `npm run schema`: it stands here and not in config/, which may not know the providers.
const file = join(packageRoot(), 'config', 'schema', 'sluice.schema.json');
writeFileSync(file, `${JSON.stringify(jsonSchema(PROVIDERS), null, 2)}\n`);
