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
  ['root.global_root', wire.root],
  ['apps.create', wire.app],
  ['apps.get', wire.app],
  ['apps.list', wire.page(wire.app)],
  ['packages.create', wire.packageBits],
  ['packages.get', wire.packageBits],
  ['packages.upload_bits', wire.packageBits],
  ['packages.list_for_app', wire.page(wire.packageBits)],
  ['builds.create', wire.build],
  ['builds.get', wire.build],
  ['builds.list', wire.page(wire.build)],
  ['droplets.get', wire.droplet],
  ['droplets.list', wire.page(wire.droplet)],
  ['processes.get', wire.process],
  ['processes.list_for_app', wire.page(wire.process)],
  ['processes.stats', wire.stats],
  ['processes.process_instances', wire.processInstances],
  ['deployments.create', wire.deployment],
  ['deployments.get', wire.deployment],
  ['deployments.list', wire.page(wire.deployment)],
  ['routes.create', wire.route],
  ['routes.list_for_app', wire.page(wire.route)],
  ['domains.list', wire.page(wire.domain)],
  ['jobs.get', wire.job],
];

describe('answers of the API', () => {
  if (!existsSync(EXAMPLES)) {
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
      wire.decode(wire.root, { links: { login: 7 } }, 'cf-eu', 'GET /');
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
