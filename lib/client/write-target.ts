import type { EntityManager } from 'typeorm';
import { ApplicationClosedError } from '../job/application-errors.js';
import { InvalidJobError, JobsError } from '../job/errors.js';
import type { EnqueueTarget, JobQueue } from '../queue/job-queue.js';

export interface EnqueueManyOptions {
  /**
   * Write through this `EntityManager`: the jobs are committed or rolled back with its transaction. Default: the
   * transaction that the call runs in, if the client knows of one; see `JobClient.transaction` and the module's option
   * `transactions`.
   */
  readonly manager?: EntityManager;
  /** Commit at once, also where the call runs in a transaction. Default false. */
  readonly outside?: boolean;
}

/** What decides where a call writes. */
export interface WriteTargetSettings {
  /** Called before a write that joins no transaction and does not say `outside`. */
  readonly onUnjoined?: () => void;
  /** Whether the application closes the database, or has closed it. Default: never. */
  readonly isClosed?: () => boolean;
}

/**
 * The transaction that a call writes in: the one given, or else that of the caller.
 *
 * @param options of a call, without those that only this call takes
 * @throws InvalidJobError where both `manager` and `outside` are given, and for an option that the call does not take
 */
export function targetOf(
  queue: Pick<JobQueue, 'currentTransaction'>,
  options: EnqueueManyOptions,
  onUnjoined?: () => void,
): EnqueueTarget {
  for (const name in options)
    if (name !== 'manager' && name !== 'outside')
      throw new InvalidJobError(
        name,
        'is no option of this call. Beside its own, a call takes manager and outside.',
      );
  const { manager, outside = false } = options;
  if (outside && manager !== undefined)
    throw new InvalidJobError('outside', 'is given together with manager; give one of them.');
  const target = manager ?? (outside ? undefined : queue.currentTransaction());
  if (target === undefined && !outside) onUnjoined?.();
  return target === undefined ? {} : { manager: target };
}

/** What a driver says of a connection that is closed does not say why. @throws ApplicationClosedError */
export function unlessClosed<Answer>(
  { isClosed }: WriteTargetSettings,
  answer: Promise<Answer>,
  isOurs = always,
): Promise<Answer> {
  return answer.catch((cause: unknown) => {
    if (isClosed?.() !== true || cause instanceof JobsError || !isOurs()) throw cause;
    throw new ApplicationClosedError({ cause });
  });
}

function always(): boolean {
  return true;
}
