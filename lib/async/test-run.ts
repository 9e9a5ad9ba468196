/** What `expect` of Jest puts on the global object that tests see. A process that a test has begun does not have it. */
const MARK_OF_JEST = Symbol.for('$$jest-matchers-object');

/**
 * Whether this is the inside of a test run of Jest. There, nothing of this package keeps the process from ending: a run has
 * no other way to end where a test has forgotten to close its application.
 */
export const isTestRun = MARK_OF_JEST in globalThis;
