import { expect, it } from '@jest/globals';
import { faultsOf, loadText } from './support.ts';

const CF = (name: string) =>
  `  ${name}: { provider: cloudfoundry, api: "https://api.${name}", org: o, space: s, credentials: { username: u, password: planted-canary } }`;
const file = (targets: string, more = ''): string => `version: 1
platforms:
${CF('eu')}
${CF('us')}
  rack: { provider: selfhosted, driver: process }
applications:
  shop:
    source: .
    command: run
${more}    targets: { ${targets} }
`;
const faults = (targets: string) => faultsOf(file(targets)).filter((one) => one.includes('buildOn'));

it('a target takes what another on a platform of the same kind builds', () => {
  const { settings } = loadText(file('eu: {}, us: { buildOn: eu }, rack: {}'));
  expect(settings?.applications['shop']?.targets[1]).toMatchObject({ platform: 'us', buildOn: 'eu' });
});

it.each([
  ['eu: {}, us: { buildOn: ue }', /no other target has this name — did you mean/],
  ['eu: {}, us: { buildOn: us }', /it cannot take from itself/],
  ['eu: {}, rack: { buildOn: eu }', /rack \(selfhosted\) runs nothing that eu \(cloudfoundry\) builds/],
  ['eu: { buildOn: us }, us: { buildOn: eu }', /us does not build either/],
])('%s is refused', (targets, why) => {
  expect(faults(targets)[0]).toMatch(why);
});
