import { JobNotWaitingError, JobRunningError } from '../job/control-errors.js';
import { InvalidJobError } from '../job/errors.js';
import type { EncodedJob } from '../job/encode-job.js';
import type { Job, NewJob } from '../job/job.js';
import type { JobState } from '../job/job-state.js';
import { requireName } from '../job/names.js';
import { decodeSettings } from '../job/settings.js';
import type { JobChanges, JobEditor, JobStart } from '../queue/job-editor.js';
import type { EnqueueTarget } from '../queue/transactions.js';
import { requireUpdate, type JobUpdate } from './edit-arguments.js';
import { requireReason } from './reason.js';

const WAITING: readonly JobState[] = ['scheduled', 'blocked', 'ready', 'retrying'];

/** How jobs are encoded. */
export interface Encoding {
  /** @throws InvalidJobError */
  encode(job: NewJob): EncodedJob;
  /** Also checks the payload by the definition of its kind, if it has one. @throws InvalidPayloadError, UnknownKindError */
  check(job: NewJob): EncodedJob | Promise<EncodedJob>;
}

/** Checks and carries out what `JobClient` does with jobs that are there. */
export class JobEdits {
  constructor(
    private readonly editor: JobEditor,
    private readonly encoding: Encoding,
    private readonly target: EnqueueTarget,
  ) {}

  async cancel(id: string, reason: unknown): Promise<'cancelled' | 'stopping' | null> {
    const why = requireReason(reason, InvalidJobError);
    const [job] = await this.editor.cancel([requireName(id, 'id')], why, this.target);
    if (job === undefined) return null;
    return job.isRunning ? 'stopping' : 'cancelled';
  }

  async retry(id: string, start: Pick<NewJob, 'runAt' | 'delayMs'>): Promise<Job | null> {
    const name = requireName(id, 'id');
    const { runAtMs, delayMs } = this.encoding.encode({ kind: name, ...start });
    const isRetried = await this.editor.retry(name, { runAtMs, delayMs }, this.target);
    return isRetried ? this.look(name) : null;
  }

  async update(id: string, update: JobUpdate): Promise<Job> {
    const given = requireUpdate(update);
    const job = await this.waiting(requireName(id, 'id'));
    const changed = { kind: job.kind, ...given };
    const isPayloadGiven = Object.hasOwn(given, 'payload');
    const encoded = isPayloadGiven ? await this.encoding.check(changed) : this.encoding.encode(changed);
    return this.write(job.id, changesOf(given, encoded));
  }

  async runNow(id: string): Promise<Job> {
    return this.write(requireName(id, 'id'), { start: NOW });
  }

  async delete(id: string, force: boolean): Promise<boolean> {
    const name = requireName(id, 'id');
    const answer = await this.editor.delete(name, force, this.target);
    if (answer === 'running') throw new JobRunningError(name);
    return answer === 'deleted';
  }

  private async write(id: string, changes: JobChanges): Promise<Job> {
    if (await this.editor.update(id, changes, this.target)) {
      const job = await this.look(id);
      if (job !== null) return job;
    }
    const { state } = await this.waiting(id);
    throw new JobNotWaitingError(id, state);
  }

  /** @throws JobNotWaitingError */
  private async waiting(id: string): Promise<Job> {
    const job = await this.look(id);
    if (job !== null && WAITING.includes(job.state)) return job;
    throw new JobNotWaitingError(id, job?.state ?? null);
  }

  private look(id: string): Promise<Job | null> {
    return this.editor.look(id, this.target);
  }
}

const NOW: JobStart = { runAtMs: null, delayMs: 0 };

/** What was given, as it is written. @param encoded a job that has all of it */
function changesOf(given: JobUpdate, encoded: EncodedJob): JobChanges {
  const { payload, payloadVersion, runAtMs, delayMs, priority, maxAttempts } = encoded;
  const { tags, backoff } = decodeSettings(encoded.settings);
  const isGiven = (name: keyof JobUpdate) => given[name] !== undefined;
  return {
    ...(Object.hasOwn(given, 'payload') && { payload, payloadVersion }),
    ...((isGiven('runAt') || isGiven('delayMs')) && { start: { runAtMs, delayMs } }),
    ...(isGiven('priority') && { priority }),
    ...(isGiven('maxAttempts') && { maxAttempts: maxAttempts! }),
    ...((isGiven('tags') || isGiven('backoff')) && {
      settings: { ...(isGiven('tags') && { tags }), ...(isGiven('backoff') && { backoff }) },
    }),
  };
}
