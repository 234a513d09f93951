import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import * as wire from '../../../providers/cloudfoundry/wire.ts';
import { SluiceError } from '../../../src/core/errors.ts';

/** The documentation's own examples, where they are at hand. */
const EXAMPLES = fileURLToPath(
  new URL('../../../../shared/contracts/cloudfoundry/examples/', import.meta.url),
);

const CASES: readonly (readonly [string, z.ZodType])[] = [
  ['root.global_root', wire.rootSchema],
  ['apps.create', wire.appSchema],
  ['apps.get', wire.appSchema],
  ['apps.list', wire.pageSchema(wire.appSchema)],
  ['packages.create', wire.packageBitsSchema],
  ['packages.get', wire.packageBitsSchema],
  ['packages.upload_bits', wire.packageBitsSchema],
  ['packages.list_for_app', wire.pageSchema(wire.packageBitsSchema)],
  ['builds.create', wire.buildSchema],
  ['builds.get', wire.buildSchema],
  ['builds.list', wire.pageSchema(wire.buildSchema)],
  ['droplets.get', wire.dropletSchema],
  ['droplets.list', wire.pageSchema(wire.dropletSchema)],
  ['processes.get', wire.processSchema],
  ['processes.list_for_app', wire.pageSchema(wire.processSchema)],
  ['processes.stats', wire.statsSchema],
  ['processes.process_instances', wire.processInstancesSchema],
  ['deployments.create', wire.deploymentSchema],
  ['deployments.get', wire.deploymentSchema],
  ['deployments.list', wire.pageSchema(wire.deploymentSchema)],
  ['routes.create', wire.routeSchema],
  ['routes.list_for_app', wire.pageSchema(wire.routeSchema)],
  ['domains.list', wire.pageSchema(wire.domainSchema)],
  ['jobs.get', wire.jobSchema],
];

describe('answers of the API', () => {
  if (!existsSync(EXAMPLES)) {
    process.stderr.write(`skipped: no documented examples in ${EXAMPLES}\n`);
    it.skip(`are decoded as the documentation shows them (skipped: no ${EXAMPLES})`, () => undefined);
  }
  for (const [name, schema] of CASES) {
    const file = `${EXAMPLES}${name}.json`;
    if (!existsSync(file)) continue;
    it(`are decoded as the documentation shows them: ${name}`, () => {
      for (const body of bodiesOf(file)) schema.parse(body);
    });
  }

  it('that are not from a Cloud Foundry are refused with the field and a remedy', () => {
    let caught: unknown;
    try {
      wire.decode(wire.rootSchema, { links: { login: 7 } }, 'cf-eu', 'GET /');
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(SluiceError);
    if (!(caught instanceof SluiceError)) return;
    expect(caught.class).toBe('unsupported');
    expect(caught.details.why).toContain('links.login');
    expect(caught.details.remedy).toContain('api');
  });
});

function bodiesOf(file: string): readonly unknown[] {
  const example: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof example !== 'object' || example === null || !('responses' in example)) return [];
  const responses = Array.isArray(example.responses) ? example.responses : [];
  const bodies = responses.map((response: { body?: unknown }) => response.body);
  expect(bodies.length).toBeGreaterThan(0);
  return bodies;
}
