// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { PROVIDERS } from '../../providers/registry.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { shapeOf } from '../../src/config/known-keys.ts';
import { NOT_YET } from '../../src/config/not-yet.ts';
import { isMap } from '../../src/config/path.ts';
import { withReference } from '../../src/config/reference.ts';
import { accepts } from './accepts.ts';
import { soundFile } from './support.ts';

const schema = jsonSchema(PROVIDERS);
const docs = readFileSync('docs/configuration.md', 'utf8');

function fits(text: string): boolean {
  return accepts(schema, parse(text, { merge: true }));
}

describe('the JSON Schema', () => {
  it('is the one checked in; `npm run schema` writes it', () => {
    expect(JSON.parse(readFileSync('config/schema/sluice.schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(schema)),
    );
  });

  it('takes every example', () => {
    const files = readdirSync('config/examples');
    expect(files).toEqual(['edge.yaml', 'static.yaml', 'three-platforms.yaml']);
    for (const file of files)
      expect([file, fits(readFileSync(`config/examples/${file}`, 'utf8'))]).toEqual([file, true]);
  });

  it.each([
    ['gateway: { workers: "${N}" }\n', true],
    ['gateway: { workers: many }\n', false],
    ['gateway: { workers: 0 }\n', false],
    ['gateway: { retryBudget: { ratio: 20% } }\n', true],
    ['gateway: { retryBudget: { ratio: 0.2 } }\n', true],
    ['gateway: { timeouts: { connect: 5 } }\n', false],
    ['gateway: { timeouts: { connect: "x${T}" } }\n', true],
    ['gateway: { rateLimit: {} }\n', false],
    ['gateway: { accessLog: { format: xml } }\n', false],
    ['gateway: { listen: [{ port: 1, tls: [{ cert: a }] }] }\n', false],
    ['gateway: { listen: [{ port: 1, tls: [{ cert: a, key: "${K}" }], http2: true }] }\n', true],
    ['gateway: { x-any: 1, listen: [{ port: 1, x-y: 2 }] }\n', true],
    ['x-any: { thing: 1 }\n', true],
    ['nonsense: 1\n', false],
  ])('says to %j: %s', (root, expected) => {
    expect(fits(soundFile({ root }))).toBe(expected);
  });

  it.each([
    ['policy: demo', true],
    ['policy: { base: demo, ramp: { steps: [50%, 1] } }', true],
    ['policy: { rules: [] }', true],
    ['policy: { strategy: nearest }', false],
    ['health: { every: 1s, status: 200-299 }', true],
    ['health: { evry: 1s }', false],
    ['env: { A: 1, B: true, C: text }', true],
    ['data: { writes: single, writer: here, promote: ./promote.sh, promoteTimeout: 2m }', true],
    ['data: { writes: two }', false],
    ['image: x', false],
    ['routes: [{ affinity: true, rateLimit: 100rps }]', true],
    ['routes: [{ rateLimit: { rps: 5, by: x-api-key } }]', true],
    ['routes: [{ rateLimit: 100rps/instance }]', false],
    ['routes: [{ rateLimit: { by: address } }]', false],
  ])('says to %j in an application: %s', (application, expected) => {
    expect(fits(soundFile({ application }))).toBe(expected);
  });

  it('knows each provider by its keys', () => {
    const platform = (block: string) =>
      soundFile().replace('here: { provider: static, origins: ["http://127.0.0.1:1"] }', `here: ${block}`);
    expect(fits(platform('{ provider: static, origins: ["${URL}"] }'))).toBe(true);
    expect(fits(platform('{ provider: static, api: https://x }'))).toBe(false);
    expect(fits(platform('{ provider: nobody }'))).toBe(false);
    expect(fits(platform('{ provider: selfhosted, driver: process, x-rack: 7 }'))).toBe(true);
    const upstream = (block: string) =>
      fits(platform(`{ provider: static, origins: [x], upstream: ${block} }`));
    expect(upstream('{ insecureSkipVerify: true }')).toBe(true);
    expect(upstream('{ clientCert: a.pem, clientKey: a.key }')).toBe(true);
    expect(upstream('{ skip: true }')).toBe(false);
  });
});

describe('docs/configuration.md', () => {
  it('has the tables the code gives; `npm run schema` writes them', () => {
    expect(withReference(docs, schema)).toBe(docs);
  });

  it('names every key of every provider', () => {
    for (const [kind, { schema: shape }] of Object.entries(PROVIDERS)) {
      const section = docs.slice(docs.indexOf(`| \`${kind}\` |`)).split('\n\n')[0] ?? '';
      for (const key of propertiesOf(shapeOf(shape)))
        expect([kind, section.includes(`\`${key}\``), key]).toEqual([kind, true, key]);
    }
  });

  it('names what is not built', () => {
    for (const row of NOT_YET) expect(docs).toContain(row.what);
  });

  it('points at files that exist', () => {
    for (const [file] of docs.matchAll(/config\/(examples|policies|schema)\/[\w.-]*/g))
      expect([file, existsSync(file)]).toEqual([file, true]);
  });
});

function propertiesOf(node: unknown): readonly string[] {
  if (!isMap(node)) return [];
  const own = isMap(node['properties']) ? Object.keys(node['properties']) : [];
  const choices = [node['anyOf'], node['oneOf']].find(Array.isArray) ?? [];
  return [...own, ...choices.flatMap(propertiesOf)];
}
