import { InvalidScheduleError } from '../../job/errors.js';
import { describeType } from '../../job/names.js';
import { isObject } from '../../job/option-checks.js';
import type { ScheduleTimes } from '../../schedules/schedule-options.js';
import { DECORATED_HANDLERS } from '../decorated-handlers.js';
import { addScheduleMark, type JobScheduleOptions } from '../jobs.metadata.js';
import { requireMethod, type AnyMethod, type MethodDecorator } from './decorated-method.js';

export type { JobScheduleOptions } from '../jobs.metadata.js';

/**
 * Declares a schedule: at each of its ticks one job is made, by one process of the cluster. The jobs are of the kind that
 * `@JobHandler` beside it gives to the method.
 *
 * ```ts
 * @JobHandler('report.nightly')
 * @JobSchedule('0 3 * * *', { timeZone: 'Europe/Berlin' })
 * nightly(job: Job, { tick }: JobContext) { … }
 * ```
 *
 * Without `@JobHandler` the method is the handler as well, and the schedule must have a `name`, which is then its kind. A
 * method may have several schedules, with different names.
 *
 * A schedule is fired by workers that declare it. When it is removed from the code, no tick makes a job any more from the
 * end of the last process that had it; a day later its row is deleted. When it is changed, its next tick follows from the
 * moment of the change.
 *
 * @param times a cron expression, `{ cron }` or `{ everyMs }`
 * @throws InvalidHandlerError when the class is loaded, on what Nest can never call. At start-up: InvalidScheduleError,
 * naming the method and the option, and ScheduleExistsError where another method has a schedule of the same name
 */
export function JobSchedule(
  times: string | ScheduleTimes,
  options: JobScheduleOptions = {},
): MethodDecorator<AnyMethod> {
  return (target, key, descriptor) => {
    const { method, run } = requireMethod('@JobSchedule', target, key, descriptor);
    const where = `${target.constructor.name}.${method}: `;
    if (typeof times !== 'string' && !isObject(times))
      throw new InvalidScheduleError(
        `${where}cron`,
        `is ${describeType(times)}; it must be a cron expression, { cron } or { everyMs }.`,
      );
    if (!isObject(options))
      throw new InvalidScheduleError(`${where}options`, `is ${describeType(options)}; it must be an object.`);
    addScheduleMark(run, { times, options });
    DECORATED_HANDLERS.remember({
      kind: (options.kind ?? options.name)!,
      options: {},
      prototype: target,
      method,
    });
  };
}
