import config from './jest.config.js';

/**
 * The pages of the dashboard in Chromium: `npm run test:dashboard`.
 *
 * @type {import('jest').Config}
 */
export default {
  ...config,
  testMatch: ['<rootDir>/test/dashboard/**/*.spec.ts'],
  maxWorkers: 2,
};
