// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parameters of templates are written so.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate, processTemplate } from '../../../../providers/openshift/local/template-processing.ts';
import { seededRandom } from '../../../../src/lib/random.ts';
import { type LocalHarness, NAMESPACE, openLocal } from '../local-harness.ts';

const template = (more: object = {}) => ({
  ...{ apiVersion: 'template.openshift.io/v1', kind: 'Template', metadata: { name: 'db' } },
  labels: { app: 'db' },
  parameters: [
    { name: 'NAME', value: 'shop-db', required: true },
    { name: 'PASSWORD', generate: 'expression', from: '[a-zA-Z0-9]{16}' },
    { name: 'PORT', value: '5432' },
  ],
  objects: [
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: '${NAME}', namespace: 'elsewhere' } },
      spec: { ports: [{ name: 'db', port: '${{PORT}}' }], selector: { name: '${NAME}' } },
    },
  ],
  ...more,
});

describe('a template that is filled in', () => {
  it('has its parameters everywhere, numbers among them, its labels, and no namespace of its own', () => {
    const processed = processTemplate(template(), seededRandom(1));
    expect(processed).toMatchObject({
      state: 'filled',
      template: {
        parameters: [{}, { name: 'PASSWORD', value: expect.stringMatching(/^[a-zA-Z0-9]{16}$/) }, {}],
        objects: [
          {
            metadata: { name: 'shop-db', labels: { app: 'db' } },
            spec: { ports: [{ name: 'db', port: 5_432 }], selector: { name: 'shop-db' } },
          },
        ],
      },
    });
    expect(JSON.stringify(processed)).not.toContain('elsewhere');
  });

  it.each([
    ['user[A-Z]{3}', /^user[A-Z]{3}$/],
    ['[\\w]{8}-[\\d]{2}', /^\w{8}-\d{2}$/],
    ['[abc]', /^[abc]$/],
    ['fixed', /^fixed$/],
  ])('draws %s', (expression, expected) => {
    expect(generate(expression, seededRandom(3))).toMatch(expected);
  });
});

describe('the API', () => {
  const PATH = `/apis/template.openshift.io/v1/namespaces/${NAMESPACE}`;
  let harness: LocalHarness;
  beforeAll(async () => {
    harness = await openLocal();
  });
  afterAll(() => harness.close());

  it('keeps templates, and only fills in what it is asked to process', async () => {
    await harness.create(`${PATH}/templates`, template());
    expect((await harness.read(`${PATH}/templates/db`)).objects).toHaveLength(1);
    await harness.create(`${PATH}/processedtemplates`, template());
    const services = await harness.read(`/api/v1/namespaces/${NAMESPACE}/services`);
    expect(services.items).toEqual([]);
  });

  it('shows them as `oc get templates` prints them', async () => {
    const answer = await fetch(`${harness.local.apiUrl}${PATH}/templates`, {
      headers: {
        authorization: `Bearer ${harness.local.token}`,
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
      },
    });
    expect(await answer.json()).toMatchObject({
      kind: 'Table',
      columnDefinitions: [
        { name: 'Name' },
        { name: 'Description' },
        { name: 'Parameters' },
        { name: 'Objects' },
      ],
      rows: [{ cells: ['db', '', '3 (1 generated)', 1] }],
    });
  });

  it('refuses what lacks a parameter, and says which', async () => {
    const parameters = [{ name: 'NAME', required: true }];
    await expect(harness.create(`${PATH}/processedtemplates`, template({ parameters }))).rejects.toThrow(
      /422.*parameter NAME is required and must be specified/,
    );
  });

  it('lists both kinds where a client asks for them', async () => {
    const { resources } = await harness.read('/apis/template.openshift.io/v1');
    expect(resources).toMatchObject([
      { name: 'templates', kind: 'Template', namespaced: true },
      { name: 'processedtemplates', kind: 'Template', verbs: ['create'] },
    ]);
  });
});
