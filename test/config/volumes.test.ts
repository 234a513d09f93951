import { expect, it } from '@jest/globals';
import { configurationDigest } from '../../src/orchestrator/configuration-digest.ts';
import { loadText } from './support.ts';

const file = (on: string, more = ''): string => `version: 1
platforms:
  cf: { provider: cloudfoundry, api: "https://api.cf", org: o, space: s, credentials: { username: u, password: p } }
  ocp: { provider: openshift, api: "https://api.ocp", namespace: n, credentials: { token: t } }
  rack: { provider: selfhosted, driver: process }
applications:
  shop:
    source: .
    command: run
    ${more}
    services: { files: { on: ${on} } }
`;
const NFS = 'cf: { offering: nfs, plan: existing, bind: { mount: /home/vcap/files, password: hidden } }';
const TARGETS = 'targets: { cf: {}, ocp: {}, rack: {} }';
const ALL = `{ ${NFS}, ocp: { volume: { size: 2Gi, storageClass: gold } }, rack: { volume: {} } }`;
const shopOf = (on: string) => loadText(file(on, TARGETS)).settings!.applications['shop']!;
const faults = (on: string, more = TARGETS) =>
  loadText(file(on, more))
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ path, summary }) => `${path}: ${summary}`);

it('a volume is a claim, a folder of the host, or what a volume service mounts', () => {
  expect(shopOf(ALL).services).toEqual([
    {
      name: 'files',
      on: {
        cf: {
          ...{ how: 'provision', offering: 'nfs', plan: 'existing', parameters: undefined },
          bind: { mount: '/home/vcap/files', password: 'hidden' },
        },
        ocp: {
          how: 'volume',
          claim: {
            sizeBytes: 2_147_483_648,
            mount: '/data/files',
            accessMode: 'ReadWriteOnce',
            storageClass: 'gold',
          },
        },
        rack: { how: 'volume' },
      },
    },
  ]);
  // Where a folder lies is no secret that platforms could share.
  expect(shopOf(ALL).comparedServices).toBeUndefined();
});

it('what a broker is told when it is bound is in no digest that is kept or sent', () => {
  expect(configurationDigest(shopOf(ALL))).toBe(configurationDigest(shopOf(ALL.replace('hidden', 'other'))));
});

it('says what a volume lacks, or cannot have there', () => {
  const at = 'applications.shop.services.files.on';
  expect(faults(ALL.replace('size: 2Gi, ', ''))).toEqual([
    `${at}.ocp.volume: a claim says how much it wants`,
  ]);
  expect(faults(ALL.replace('rack: { volume: {} }', 'rack: { volume: { size: 1Gi } }'))).toEqual([
    `${at}.rack.volume.size: a folder of a host has no such thing`,
  ]);
  expect(faults(ALL.replace(NFS, 'cf: { volume: { size: 1Gi } }'))).toEqual([
    `${at}.cf.volume: cloudfoundry has no such thing`,
  ]);
  expect(faults(ALL.replace('volume: {}', 'credentials: { path: /srv }, bind: { mount: /x }'))).toEqual([
    `${at}.rack.bind: only what Cloud Foundry binds is told anything`,
  ]);
  expect(faults(ALL.replace('size: 2Gi', 'size: 2Gi, mount: ../etc'))).toHaveLength(1);
});

it('refuses a second instance, and a release beside another, of a volume that one node may have', () => {
  const two = TARGETS.replace('ocp: {}', 'ocp: { instances: 2, maxInstances: 4 }');
  const what = 'files on ocp is ReadWriteOnce: one node may have it';
  expect(faults(ALL, two)).toEqual([
    `applications.shop.targets.ocp: ${what}, and there would be 2`,
    `applications.shop.targets.ocp: ${what}, and there would be 4`,
  ]);
  const canary = `${TARGETS}\n    deploy: { strategy: bluegreen }`;
  expect(faults(ALL, canary)).toEqual([`applications.shop.deploy.strategy: ${what}, not two releases`]);
  expect(faults(ALL.replace('size', 'accessMode: ReadWriteMany, size'), two)).toEqual([]);
});

it('a template is OpenShift’s, with values that are text', () => {
  const template = 'template: { name: postgres, namespace: openshift, parameters: { NAME: db, PORT: 5432 } }';
  const on = `{ ${NFS}, ocp: { ${template} }, rack: { volume: {} } }`;
  expect(shopOf(on).services?.[0]?.on['ocp']).toEqual({
    ...{ how: 'template', name: 'postgres', namespace: 'openshift' },
    parameters: { NAME: 'db', PORT: '5432' },
  });
  expect(faults(`{ ${NFS}, ocp: { volume: { size: 1Gi } }, rack: { ${template} } }`)).toEqual([
    'applications.shop.services.files.on.rack.template: selfhosted has no such thing',
  ]);
});
