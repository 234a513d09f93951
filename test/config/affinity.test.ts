import { expect, it } from '@jest/globals';
import { faultsOf, loadText } from './support.ts';

function file(application: string, targets = '{ here: {}, there: {} }'): string {
  return `version: 1
platforms:
  here: { provider: static, origins: ["http://127.0.0.1:1"] }
  there: { provider: static, origins: ["http://127.0.0.1:2"] }
applications:
  shop: { health: { path: / }, targets: ${targets}, ${application} }
  books: { health: { path: / }, targets: { here: {}, there: {} }, routes: [{ host: books.example.com }] }
`;
}

it('affinity of an application is that of its routes, unless they say otherwise', () => {
  const routes = 'routes: [{ path: / }, { path: /static, affinity: false }]';
  const { settings, diagnostics } = loadText(file(`affinity: true, ${routes}`));
  expect(diagnostics).toEqual([]);
  expect(settings?.applications['shop']?.routes.map(({ path, affinity }) => [path, affinity])).toEqual([
    ['/', true],
    ['/static', undefined],
  ]);
  expect(settings?.applications['books']?.routes[0]).not.toHaveProperty('affinity');
});

it('affinity of an application with one platform has no effect, and that is said', () => {
  expect(faultsOf(file('affinity: true', '{ here: {} }'))).toEqual([
    expect.stringMatching(/warning applications.shop.affinity: has no effect/),
  ]);
});
