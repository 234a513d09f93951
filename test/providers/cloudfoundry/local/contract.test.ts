import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { applications, deployments } from './contract/applications.ts';
import { documentedOperations, documentsPresent, openApi, page, whyAbsent } from './contract/documents.ts';
import { createSpecificationCheck, type SpecificationCheck } from './contract/openapi.ts';
import { operator } from './contract/operator.ts';
import { discovery, organizations } from './contract/organizations.ts';
import { quotas } from './contract/quotas.ts';
import { routes } from './contract/routes.ts';
import { services } from './contract/services.ts';
import { leastDifferences } from './contract/shape.ts';
import type { Guids, Step } from './contract/step.ts';
import { readWaivers, type Waivers } from './contract/waivers.ts';
import { type Answer, type Foundation, startFoundation } from './foundation.ts';

/** In this order: each finds what those before it made. */
const STEPS: readonly Step[] = [
  ...discovery,
  ...applications,
  ...routes,
  ...services,
  ...organizations,
  ...quotas,
  ...operator,
  ...deployments,
];

if (!documentsPresent) process.stderr.write(`skipped: ${whyAbsent()}\n`);

(documentsPresent ? describe : describe.skip)('contract of the local Cloud Foundry', () => {
  const guids: Guids = {};
  const covered = new Set<string>();
  let foundation: Foundation;
  let waivers: Waivers;
  let check: SpecificationCheck;
  beforeAll(async () => {
    foundation = await startFoundation();
    waivers = readWaivers();
    check = createSpecificationCheck(openApi());
  });
  afterAll(() => foundation.close());

  function ask(step: Step): Promise<Answer> {
    if (step.send) return step.send(foundation, guids);
    return foundation.call(step.method, step.path(guids), step.body?.(guids), step.headers);
  }

  it.each(STEPS.map((step, index) => [`${step.page} (${index + 1})`, step] as const))(
    '%s',
    async (_name, step) => {
      await step.before?.(foundation, guids);
      const answer = await ask(step);
      if (step.keep !== undefined) guids[step.keep] = answer.body?.guid;
      if (step.job) expect(await foundation.job(answer)).toMatchObject({ state: 'COMPLETE', errors: [] });
      await step.after?.(foundation, guids, answer);

      const { definition, responses } = page(step.page);
      const fitting = responses.filter(({ status }) => status === answer.status);
      if (fitting.length === 0) throw new Error(`${answer.status} is not documented: ${answer.text}`);
      const bodies = fitting.map(({ body }) => body).filter((body) => body !== undefined && body !== null);
      const shape = bodies.length > 0 && answer.text !== '' ? leastDifferences(bodies, answer.body) : [];
      expect(waivers.unwaived('example', step.page, shape)).toEqual([]);
      const [method = '', path = ''] = (definition ?? '').split(' ');
      const specification = check(method, path, answer.status, answer.body);
      expect(waivers.unwaived('openapi', step.page, specification)).toEqual([]);
      covered.add(step.page);
    },
  );

  it('answers a guid nobody knows with 404 and the name of the resource, wherever one is read', async () => {
    const definitions = [...documentedOperations()].filter(([name]) => covered.has(name));
    const reads = definitions.filter(([, definition]) => /^GET \/v3\/[a-z_]+\/:guid$/.test(definition));
    expect(reads.length).toBeGreaterThan(15);
    for (const [, definition] of reads) {
      const answer = await foundation.call('GET', definition.slice(4).replace(':guid', 'nobody'));
      expect([definition, answer.status, answer.body.errors]).toEqual([
        definition,
        404,
        [{ code: 10010, title: 'CF-ResourceNotFound', detail: expect.stringMatching(/ not found$/) }],
      ]);
    }
  });

  it('has no waiver that nothing needs', () => {
    expect(waivers.unused()).toEqual([]);
  });

  it('covers at least 60 of the documented operations', () => {
    const documented = documentedOperations();
    const known = [...covered].filter((name) => documented.has(name));
    process.stdout.write(
      `contract: ${known.length} of ${documented.size} documented operations, ${waivers.count} waivers\n`,
    );
    expect(known.length).toBeGreaterThanOrEqual(60);
  });
});
