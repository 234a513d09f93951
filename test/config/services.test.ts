// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { expect, it } from '@jest/globals';
import { configHashOf } from '../../src/orchestrator/release-identity.ts';
import { targetSpecOf } from '../../src/orchestrator/target-spec.ts';
import { loadText } from './support.ts';

const file = (on: string, more = ''): string => `version: 1
platforms:
  cf: { provider: cloudfoundry, api: "https://api.cf", org: o, space: s, credentials: { username: u, password: "\${PASSWORD}" } }
  ocp: { provider: openshift, api: "https://api.ocp", namespace: n, credentials: { token: "\${PASSWORD}" } }
  rack: { provider: selfhosted, driver: process }
applications:
  shop:
    source: .
    command: run
    ${more}
    services: { db: { kind: postgres, on: ${on} } }
    targets: { cf: {}, ocp: {}, rack: {} }
`;
const ALL =
  '{ cf: { offering: postgres, plan: small, parameters: { size: 10 } }, ocp: { existing: db }, rack: { credentials: { url: "${DB_URL}", port: 5432 } } }';
const load = (on: string, secret = 'postgres://secret') =>
  loadText(file(on), { env: { DB_URL: secret, PASSWORD: 'x' } });
const shopOf = (on: string, secret?: string) => load(on, secret).settings!.applications['shop']!;
const faults = (on: string) => load(on).diagnostics.map(({ path, summary }) => `${path}: ${summary}`);

it('each target has a service from where its platform knows it, and under the same names', () => {
  const shop = shopOf(ALL);
  const release = {
    id: 'r-1',
    number: 1,
    application: 'shop',
    sourceDigest: '',
    configHash: '',
    createdAt: 0,
  };
  expect(targetSpecOf(shop, 'cf', release)?.services).toEqual([
    {
      name: 'db',
      source: { how: 'provision', offering: 'postgres', plan: 'small', parameters: { size: 10 } },
    },
  ]);
  expect(targetSpecOf(shop, 'ocp', release)?.services).toEqual([
    { name: 'db', source: { how: 'existing', name: 'db' } },
  ]);
  const rack = targetSpecOf(shop, 'rack', release);
  expect(rack?.services).toBeUndefined();
  expect(rack?.env).toMatchObject({ DB_URL: 'postgres://secret', DB_PORT: '5432' });
  // What is printed of a configuration must not show it.
  expect(shop.secretEnv).toEqual(['DB_PORT', 'DB_URL']);
});

it('makes another release of an application when what it works with is another', () => {
  const hash = (on: string, secret?: string) => configHashOf(shopOf(on, secret), 'key');
  expect(hash(ALL)).toBe(hash(ALL));
  expect(hash(ALL)).not.toBe(hash(ALL.replace('small', 'large')));
  expect(hash(ALL)).not.toBe(hash(ALL, 'postgres://another'));
});

it('says where a service is missing, twice, or cannot come from', () => {
  expect(faults('{ cf: { existing: db }, ocp: { existing: db } }')).toEqual([
    'applications.shop.services.db.on: rack has no db',
  ]);
  expect(faults(ALL.replace('existing: db', 'existing: db, credentials: { url: x }'))).toEqual([
    'applications.shop.services.db.on.ocp: not one place to have it from',
  ]);
  expect(faults(ALL.replace('existing: db', 'offering: postgres, plan: small'))).toEqual([
    'applications.shop.services.db.on.ocp.offering: openshift has no such thing',
  ]);
  expect(faults(ALL.replace(', plan: small', ''))).toEqual([
    'applications.shop.services.db.on.cf: an offering has several plans',
  ]);
});

it('compares what is not made by a broker, and values only of what is one and the same', () => {
  const compared = (more: string) =>
    loadText(file(ALL).replace('kind: postgres', more), {
      env: { DB_URL: 'postgres://secret', PASSWORD: 'x' },
    }).settings!.applications['shop']!.comparedServices;
  const given = { rack: { DB_URL: 'postgres://secret', DB_PORT: '5432' } };
  expect(compared('kind: postgres')).toEqual([{ name: 'db', shared: false, given, asked: ['ocp'] }]);
  expect(compared('shared: true')).toEqual([{ name: 'db', shared: true, given, asked: ['cf', 'ocp'] }]);
  expect(compared('shared: false')).toBeUndefined();
});
