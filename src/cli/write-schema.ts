import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDERS } from '../../providers/registry.ts';
import { withCharts } from '../app/simulate/charts-in-docs.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { packageRoot } from '../config/presets.ts';
import { withReference } from '../config/reference.ts';

// `npm run schema`: writes the schema for editors, the tables of docs/configuration.md and the charts of
// docs/policies.md from the code. It stands
// here and not in config/, which may not know the providers.
const schema = jsonSchema(PROVIDERS);
writeFileSync(
  join(packageRoot(), 'config', 'schema', 'sluice.schema.json'),
  `${JSON.stringify(schema, null, 2)}\n`,
);

const docs = join(packageRoot(), 'docs', 'configuration.md');
writeFileSync(docs, withReference(readFileSync(docs, 'utf8'), schema));

const policies = join(packageRoot(), 'docs', 'policies.md');
writeFileSync(policies, withCharts(readFileSync(policies, 'utf8')));
