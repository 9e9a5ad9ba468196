import { env } from 'node:process';

/** What `expect` of Jest puts on the global object that tests see. */
const MARK_OF_EXPECT = Symbol.for('$$jest-matchers-object');

/**
 * Whether this is the inside of a test run of Jest. There, nothing of this package keeps the process from ending: a run has
 * no other way to end where a test has forgotten to close its application.
 *
 * A process that a test has begun inherits the variable, and an application may use `expect` for something else. Either alone
 * says nothing: their workers keep their processes open.
 */
export const isTestRun = env.JEST_WORKER_ID !== undefined && MARK_OF_EXPECT in globalThis;
