import config from './jest.config.js';

/**
 * The suite of hostile input alone: `npm run test:hostile`.
 *
 * @type {import('jest').Config}
 */
export default { ...config, testMatch: ['<rootDir>/test/hostile/**/*.spec.ts'], maxWorkers: 2 };
