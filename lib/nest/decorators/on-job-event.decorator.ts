import type { JobEventOf, JobEventType } from '../../job/job-event.js';
import { DECORATED_LISTENERS } from '../decorated-listeners.js';
import { addListenerMark, type OnJobEventOptions } from '../jobs.metadata.js';
import { requireMethod, type MethodDecorator } from './decorated-method.js';

export type { OnJobEventOptions } from '../jobs.metadata.js';

/** A method that hears of events. */
export type JobEventMethod<Type extends JobEventType> = (event: JobEventOf<Type>) => unknown;

/**
 * Calls a method of a provider when something has happened to jobs, from the start of the application to its end.
 *
 * ```ts
 * @OnJobEvent('failed', { kinds: ['invoice.mail'] })
 * tellSupport({ jobId, error }: JobEventOf<'failed'>) { … }
 * ```
 *
 * With the scope `process`, the default, it hears of what this process does; with `all`, in each process that has the
 * provider, of what all do. What it throws is logged, and changes nothing for the job. See `JobEvents` for what is promised.
 * The class must be a provider; where a worker starts, a warning names the methods whose class is none.
 *
 * @throws InvalidHandlerError when the class is loaded, on what Nest can never call; InvalidJobError at start-up, naming the
 * method and the option
 */
export function OnJobEvent<Type extends JobEventType>(
  types: Type | readonly Type[],
  options: OnJobEventOptions = {},
): MethodDecorator<JobEventMethod<Type>> {
  return (target, key, descriptor) => {
    const { method, run } = requireMethod('@OnJobEvent', target, key, descriptor);
    addListenerMark(run, { types, options });
    DECORATED_LISTENERS.remember({ types, options, prototype: target, method });
  };
}
