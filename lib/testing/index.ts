/** The public names of `nestjs-typeorm-jobs/testing`. */
export { JobsTestingModule } from './jobs-testing.module.js';
export { jobsTester, overrideJobs } from './override-jobs.js';
export type { OverridableBuilder, OverrideJobsOptions } from './override-jobs.js';
export { JobsTester } from './jobs-tester.js';
export type { DrainOptions } from './jobs-tester.js';
export type { RanJob } from './ran-job.js';
export { drain } from './drain.js';
export type { DrainApplicationOptions } from './drain.js';
export type { JobsApplication } from './testing.providers.js';
export { jobsMatchers } from './matchers.js';
export type { JobsMatchers, PartialPayload } from './matchers.js';
export { TestClock, TestJobQueue } from './test-job-queue.js';
