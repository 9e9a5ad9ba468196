/** The sub-path `nestjs-typeorm-jobs/testing`: what is public of it, by name. */
export { JobsTestingModule } from './testing/jobs-testing.module.js';
export { jobsTester, overrideJobs } from './testing/override-jobs.js';
export type { OverridableBuilder, OverrideJobsOptions } from './testing/override-jobs.js';
export { JobsTester } from './testing/jobs-tester.js';
export type { DrainOptions } from './testing/jobs-tester.js';
export type { RanJob } from './testing/ran-job.js';
export { drain } from './testing/drain.js';
export type { DrainApplicationOptions } from './testing/drain.js';
export type { JobsApplication } from './testing/testing.providers.js';
export { jobsMatchers } from './testing/matchers.js';
export type { JobsMatchers, PartialPayload } from './testing/matchers.js';
export { TestClock, TestJobQueue } from './testing/test-job-queue.js';
