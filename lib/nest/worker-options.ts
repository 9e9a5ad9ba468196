import { allow, wholeNumber } from '../job/option-checks.js';
import type { OptionRules } from '../job/option-rules.js';
import { MAX_DELAY_MS } from '../job/retry.js';

/** How a process works on jobs. */
export interface WorkerOptions {
  /** How many jobs this process runs at once. Default 10. */
  readonly concurrency?: number;
  /** How often to look for jobs that no notification has announced, in milliseconds, at least 100. Default 1000. */
  readonly pollIntervalMs?: number;
  /** After how long without a heartbeat a worker counts as dead, in milliseconds, at least 1000. Default 30,000. */
  readonly leaseMs?: number;
  /** How often leases are renewed, in milliseconds, at least 100 and at most half of `leaseMs`. Default: a third of it. */
  readonly heartbeatMs?: number;
  /** How long a shutdown waits for running handlers, in milliseconds. Default 20,000. */
  readonly shutdownTimeoutMs?: number;
  /** Serve only these of the kinds that have handlers. Default: all. */
  readonly kinds?: readonly string[];
}

/** The rules of the worker's options. */
export const WORKER_RULES = {
  concurrency: { default: 10, check: wholeNumber(1, 10_000) },
  pollIntervalMs: { default: 1_000, check: wholeNumber(100, MAX_DELAY_MS) },
  leaseMs: { default: 30_000, check: wholeNumber(1_000, 86_400_000) },
  heartbeatMs: {
    defaultFrom: ({ leaseMs }) => Math.floor(leaseMs / 3),
    check: (value, option, { leaseMs }) =>
      wholeNumber(100, Math.floor(leaseMs / 2))(value, option, undefined),
  },
  shutdownTimeoutMs: { default: 20_000, check: wholeNumber(0, 86_400_000) },
  kinds: { check: allow('a list of kinds, at least one; for none, set worker: false', isListOfKinds) },
} satisfies OptionRules<WorkerOptions>;

function isListOfKinds(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((kind) => typeof kind === 'string');
}
