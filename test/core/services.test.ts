import { expect, it } from '@jest/globals';
import { serviceVariable, serviceVariables } from '../../src/core/services.ts';

it('names what a service hands out the same on every platform', () => {
  expect(['url', 'jdbcUrl', 'ca.crt', 'tls-port'].map((key) => serviceVariable('db', key))).toEqual([
    ...['DB_URL', 'DB_JDBC_URL', 'DB_CA_CRT', 'DB_TLS_PORT'],
  ]);
  expect(
    serviceVariables('db', { url: 'postgres://x', port: 5_432, tls: true, hosts: ['a'], none: null }),
  ).toEqual({ DB_URL: 'postgres://x', DB_PORT: '5432', DB_TLS: 'true', DB_HOSTS: '["a"]' });
});
