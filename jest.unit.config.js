import config from './jest.config.js';

/**
 * The unit tests alone: no server is started for them, and nothing is built.
 *
 * @type {import('jest').Config}
 */
export default {
  ...config,
  testMatch: ['<rootDir>/test/unit/**/*.spec.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
};
