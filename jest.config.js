/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^nestjs-typeorm-jobs$': '<rootDir>/lib/index.ts',
    '^nestjs-typeorm-jobs/(testing|dashboard|telemetry|prometheus|health)$': '<rootDir>/lib/$1/index.ts',
    '^nestjs-typeorm-jobs/(.*-transactional)$': '<rootDir>/lib/adapters/$1.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          target: 'es2022',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts'],
  testMatch: [
    '<rootDir>/test/{unit,storage,module,e2e,chaos,ha}/**/*.spec.ts',
    '<rootDir>/sample/test/**/*.spec.ts',
  ],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 120_000, // of a busy machine; what a test waits for has a deadline of its own, see until.ts
  maxWorkers: 3, // on two cores: much of the time is spent waiting for leases to run out
};
