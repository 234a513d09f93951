// What takes minutes (deployments killed at every step, platforms broken in every way) is called *.long.test.ts and run by
// `npm run test:long` and in CI: `npm test` shall end before anybody goes for a coffee.
const { SLUICE_LONG } = process.env;

// biome-ignore lint/style/noDefaultExport: jest reads its configuration so.
export default {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', ...(SLUICE_LONG ? [] : ['\\.long\\.test\\.ts$'])],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  testEnvironment: 'node',
  testTimeout: 20_000,
  // Most tests wait for processes and sockets: more workers than cores finish earlier.
  maxWorkers: 3,
  watchman: false,
};
