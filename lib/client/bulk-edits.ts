import { sleep } from '../async/timers.js';
import { InvalidJobError } from '../job/errors.js';
import type { JobConditions } from '../job/job-conditions.js';
import { JOB_STATES, type JobState } from '../job/job-state.js';
import type { JobEditor } from '../queue/job-editor.js';
import type { JobReader } from '../queue/job-reader.js';
import type { EnqueueTarget } from '../queue/transactions.js';
import type { BulkAnswer } from './bulk-arguments.js';
import { JobSearch } from './job-search.js';

/** How many jobs one batch changes, in a short transaction. */
const BATCH = 500;
/** How many rows the search for one batch looks at. */
const SEARCHED_AT_ONCE = 20_000;
/** After each batch the call pauses for so many times as long as it took: workers have the database to themselves then. */
const PAUSE_SHARE = 9;
/** How many jobs are changed in a transaction of the caller's, which holds their rows. */
const MAX_JOINED = 10_000;
/** Of the golden ratio: the starts of however many jobs are evenly spread by its multiples. */
const SPREAD_STEP = (Math.sqrt(5) - 1) / 2;

/** What becomes of the jobs of a batch. */
type Work = (ids: readonly string[]) => Promise<Omit<BulkAnswer, 'matched'>>;

export interface BulkSettings {
  readonly isDryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Changes all jobs that fulfil conditions, in batches in the order of their ids. */
export class BulkEdits {
  private readonly search: JobSearch;

  constructor(
    private readonly reader: JobReader,
    private readonly editor: JobEditor,
    private readonly target: EnqueueTarget,
    private readonly settings: BulkSettings,
  ) {
    this.search = new JobSearch(reader, target);
  }

  cancel(conditions: JobConditions, reason: string | null): Promise<BulkAnswer> {
    const states: readonly JobState[] = ['scheduled', 'blocked', 'ready', 'retrying', 'running'];
    return this.run(conditions, states, async (ids) => {
      const cancelled = await this.editor.cancel(ids, reason, this.target);
      return { changed: cancelled.length, conflicts: 0 };
    });
  }

  retry(conditions: JobConditions, spreadMs: number): Promise<BulkAnswer> {
    let count = 0;
    return this.run(conditions, ['failed', 'panic', 'cancelled'], async (ids) => {
      const starts = ids.map((id) => ({
        id,
        runAtMs: null,
        delayMs: Math.floor(((count++ * SPREAD_STEP) % 1) * spreadMs),
      }));
      const { retried, conflicts } = await this.editor.retryAll(starts, this.target);
      return { changed: retried, conflicts };
    });
  }

  delete(conditions: JobConditions): Promise<BulkAnswer> {
    const deletable = JOB_STATES.filter((state) => state !== 'running' && state !== 'stopping');
    const states = among(deletable, conditions.states);
    const statuses = [...new Set(states.map(statusOf))];
    return this.run(conditions, states, async (ids) => ({
      changed: await this.editor.deleteAll(ids, statuses, this.target),
      conflicts: 0,
    }));
  }

  /** @param possible the states in which a job can be changed so */
  private async run(
    conditions: JobConditions,
    possible: readonly JobState[],
    work: Work,
  ): Promise<BulkAnswer> {
    const states = among(possible, conditions.states);
    if (states.length === 0) return NOTHING;
    const { createdAt } = conditions;
    const now = Math.floor(await this.reader.now(this.target)) + 1; // so that those of this millisecond count
    const span = {
      afterMs: createdAt?.afterMs ?? null,
      beforeMs: Math.min(now, createdAt?.beforeMs ?? Infinity),
    };
    const wanted = { ...conditions, states, createdAt: span };
    return this.isJoined ? this.runJoined(wanted, work) : this.runInBatches(wanted, work);
  }

  private async runInBatches(conditions: JobConditions, work: Work): Promise<BulkAnswer> {
    const { signal } = this.settings;
    let answer = NOTHING;
    let after: string | null = null;
    for (;;) {
      signal?.throwIfAborted();
      const begun = performance.now();
      const { ids, reached } = await this.batch(conditions, after);
      answer = await this.carryOut(answer, ids, work);
      if (reached === null) return answer;
      after = reached;
      await sleep((performance.now() - begun) * PAUSE_SHARE, signal);
    }
  }

  /** Nothing is changed before it is known how many there are. */
  private async runJoined(conditions: JobConditions, work: Work): Promise<BulkAnswer> {
    const { signal } = this.settings;
    const all: string[] = [];
    let after: string | null = null;
    do {
      signal?.throwIfAborted();
      const { ids, reached } = await this.batch(conditions, after);
      all.push(...ids);
      if (all.length > MAX_JOINED)
        throw new InvalidJobError(
          'filter',
          `fits more than ${MAX_JOINED} jobs, which are too many for one transaction; nothing was changed. Narrow it down, ` +
            'or call with { outside: true }: then it works in many short transactions.',
        );
      after = reached;
    } while (after !== null);
    let answer = NOTHING;
    for (let start = 0; start < all.length; start += BATCH)
      answer = await this.carryOut(answer, all.slice(start, start + BATCH), work);
    return answer;
  }

  private async batch(
    conditions: JobConditions,
    after: string | null,
  ): Promise<{ ids: readonly string[]; reached: string | null }> {
    const bounds = { order: 'oldest', after, limit: BATCH, maxSearched: SEARCHED_AT_ONCE } as const;
    if (conditions.payload === undefined) return this.reader.search(conditions, bounds, this.target);
    const { jobs, reached } = await this.search.list(conditions, bounds);
    return { ids: jobs.map(({ id }) => id), reached };
  }

  private async carryOut(answer: BulkAnswer, ids: readonly string[], work: Work): Promise<BulkAnswer> {
    const isNothing = ids.length === 0 || this.settings.isDryRun;
    const { changed, conflicts } = isNothing ? NOTHING : await work(ids);
    return {
      matched: answer.matched + ids.length,
      changed: answer.changed + changed,
      conflicts: answer.conflicts + conflicts,
    };
  }

  private get isJoined(): boolean {
    return this.target.manager?.queryRunner?.isTransactionActive === true;
  }
}

const NOTHING: BulkAnswer = { matched: 0, changed: 0, conflicts: 0 };

function among(possible: readonly JobState[], wanted: readonly JobState[] = possible): readonly JobState[] {
  return possible.filter((state) => wanted.includes(state));
}

function statusOf(state: JobState) {
  switch (state) {
    case 'done':
      return 'DONE';
    case 'failed':
      return 'FAILED';
    case 'panic':
      return 'PANIC';
    case 'cancelled':
      return 'CANCELLED';
    default:
      return 'PENDING';
  }
}
