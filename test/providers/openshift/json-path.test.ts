import { expect, it } from '@jest/globals';
import { evaluateTemplate } from '../../../providers/openshift/json-path.ts';

const service = {
  data: { 'database-user': 'ann', 'a.b': 'dotted' },
  spec: {
    clusterIP: '10.0.0.1',
    ports: [
      { name: 'web', port: 80 },
      { name: 'postgresql', port: 5_432 },
    ],
  },
};

it.each([
  ["{.data['database-user']}", 'ann'],
  ['{.spec.clusterIP}', '10.0.0.1'],
  ['postgres://{.spec.clusterIP}:{.spec.ports[?(.name=="postgresql")].port}', 'postgres://10.0.0.1:5432'],
  ['{.spec.ports[?(@.name=="web")].port}', '80'],
  ['{.spec.ports[1].name}', 'postgresql'],
  ["{.data['a.b']}", 'dotted'],
  ['no path at all', 'no path at all'],
  ['{.spec.nothing}', undefined],
  ['{.spec.ports[7].name}', undefined],
  ['{range .spec.ports}', undefined],
])('%s is %s', (text, expected) => {
  expect(evaluateTemplate(text, service)).toBe(expected);
});
