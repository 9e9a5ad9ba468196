import type { JobsEvents } from '../events/jobs-events.js';
import type { Job } from '../job/job.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { EnqueueManyOptions } from './write-target.js';

/**
 * Encodes and writes jobs within what stands around enqueues, if something does.
 *
 * @param jobs what is enqueued, not checked yet
 * @param options where it is written
 */
export function sendWithin<Sent extends Job>(
  events: JobsEvents | undefined,
  queue: Pick<JobQueue, 'currentTransaction'>,
  jobs: readonly { readonly kind: unknown }[],
  { manager, outside = false }: EnqueueManyOptions,
  write: () => Promise<Sent[]>,
): Promise<Sent[]> {
  const instrument = events?.instrument;
  if (instrument === undefined) return write();
  const kinds = jobs.map(({ kind }) => (typeof kind === 'string' ? kind.trim() : ''));
  const isJoined = manager !== undefined || (!outside && queue.currentTransaction() !== undefined);
  return instrument.send({ kinds, isJoined }, write);
}
