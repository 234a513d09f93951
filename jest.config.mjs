// biome-ignore lint/style/noDefaultExport: jest reads its configuration so.
export default {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
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
