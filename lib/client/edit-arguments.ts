import { InvalidJobError } from '../job/errors.js';
import type { JobSettings } from '../job/job.js';
import { describeType } from '../job/names.js';
import { isObject } from '../job/option-checks.js';
import type { EnqueueManyOptions } from './write-target.js';

export interface CancelOptions extends EnqueueManyOptions {
  /** Kept with the job, and in the `JobCancelledError` that its handler gets. At most 1,000 characters. */
  readonly reason?: string;
}

export interface RetryOptions extends EnqueueManyOptions, Pick<JobSettings, 'runAt' | 'delayMs'> {}

export interface DeleteOptions extends EnqueueManyOptions {
  /** Also where the job is running: what its handler returns is thrown away then. Default false. */
  readonly force?: boolean;
}

/** What can be changed of a job that waits. What is left out stays. */
export interface JobUpdate<Payload = unknown> extends Omit<
  JobSettings,
  'id' | 'ifExists' | 'unique' | 'debounce' | 'throttle'
> {
  readonly payload?: Payload;
}

/** What is to be different in the copy of a job. */
export interface CloneOverrides<Payload = unknown> extends JobSettings {
  readonly payload?: Payload;
}

/** The compiler wants all of them, and no other. */
const UPDATED = {
  payload: true,
  runAt: true,
  delayMs: true,
  priority: true,
  maxAttempts: true,
  backoff: true,
  tags: true,
} satisfies Record<keyof JobUpdate, true>;

/** @throws InvalidJobError */
export function requireUpdate(changes: unknown): JobUpdate {
  if (!isObject(changes))
    throw new InvalidJobError('changes', `is ${describeType(changes)}; it must be an object.`);
  for (const name in changes)
    if (!Object.hasOwn(UPDATED, name))
      throw new InvalidJobError(
        name,
        `cannot be changed. An update takes ${Object.keys(UPDATED).join(', ')}.`,
      );
  return changes;
}
