import { compareIds } from '../../job/id-order.js';
import type { Job } from '../../job/job.js';
import type { JobStatus } from '../../job/job-state.js';
import { labelsOf } from '../../job/labels.js';
import { decodeSettings, encodeSettings } from '../../job/settings.js';
import {
  JobEditor,
  type CancelledJob,
  type JobChanges,
  type JobRetry,
  type JobStart,
  type RetriedJobs,
  type StopListener,
} from '../../queue/job-editor.js';
import type { EnqueueTarget } from '../../queue/transactions.js';
import type { SeenJobRow } from '../sql/bulk-dialect.js';
import type { Dialect } from '../sql/dialect.js';
import type { SeenRow, WrittenSettings } from '../sql/edits-dialect.js';
import { retryEach } from '../sql/retry-each.js';
import type { Sql } from '../sql/sql.js';
import { keyToRetake } from '../sql/unique-plan.js';
import type { CommittedJobs } from './committed-jobs.js';
import type { TargetConnections } from './target-connections.js';
import type { WakeUps } from './wake-ups.js';

/** How often a change is tried where others write the same job. */
const TRIES = 20;

/** Changes jobs in a database. */
export class TypeOrmJobEditor extends JobEditor {
  constructor(
    private readonly connections: TargetConnections,
    private readonly dialect: Pick<Dialect, 'jobs' | 'edits' | 'bulk' | 'unique'>,
    private readonly wakeUps: WakeUps,
    private readonly committed: CommittedJobs,
  ) {
    super();
  }

  look(id: string, target?: EnqueueTarget): Promise<Job | null> {
    return this.connections.run(target, (sql) => this.dialect.jobs.get(sql, id));
  }

  async cancel(
    ids: readonly string[],
    reason: string | null,
    target?: EnqueueTarget,
  ): Promise<CancelledJob[]> {
    const sorted = ids.toSorted();
    const cancelled = await this.connections.run(target, (sql, isJoined) =>
      this.dialect.edits.cancel(sql, sorted, reason, isJoined),
    );
    if (cancelled.length > 0)
      this.connections.afterCommit(target, () => this.committed.tellOfCancelled(cancelled, reason));
    return [...cancelled];
  }

  async retry(id: string, start: JobStart, target?: EnqueueTarget): Promise<boolean> {
    const kind = await this.change(id, target, isClosed, (sql, seen, isJoined) => {
      const settings = retriedSettings(seen);
      const { edits, unique } = this.dialect;
      const wanted = keyToRetake({ ...seen, id }, decodeSettings(seen.settings));
      if (wanted === null) return edits.reopen(sql, id, seen, settings, start, isJoined);
      return unique.retake(sql, wanted, isJoined, (own) =>
        edits.reopen(own, id, seen, settings, start, true),
      );
    });
    return this.told(kind, target);
  }

  /** Jobs that have to take a key again come one by one: few have. */
  async retryAll(jobs: readonly JobRetry[], target?: EnqueueTarget): Promise<RetriedJobs> {
    const { bulk } = this.dialect;
    const starts = new Map(jobs.map((job) => [job.id, job]));
    const seen = await this.connections.run(target, (sql) => bulk.seeAll(sql, [...starts.keys()]));
    const closed = seen
      .filter((row) => isClosed(row) && isReadable(row))
      .toSorted((one, other) => compareIds(one.id, other.id));
    const hasKey = (row: SeenJobRow) => keyToRetake(row, decodeSettings(row.settings)) !== null;
    const plain = closed.filter((row) => !hasKey(row));
    const reopenings = plain.map((row) => ({
      ...starts.get(row.id)!,
      seen: row,
      settings: retriedSettings(row),
    }));
    const ids = new Set(
      reopenings.length === 0
        ? []
        : await this.connections.run(target, (sql, isJoined) => bulk.reopenAll(sql, reopenings, isJoined)),
    );
    const kinds = new Map(plain.flatMap(({ id, kind }) => (ids.has(id) ? [[kind, 0] as const] : [])));
    if (kinds.size > 0) this.connections.afterCommit(target, () => this.committed.tellOfScheduled(kinds));
    const keyed = await retryEach(
      closed.filter(hasKey).map(({ id }) => starts.get(id)!),
      (id, start) => this.retry(id, start, target),
    );
    return { retried: ids.size + keyed.retried, conflicts: keyed.conflicts };
  }

  async update(id: string, changes: JobChanges, target?: EnqueueTarget): Promise<boolean> {
    const isWaiting = ({ status, isHeld }: SeenRow) => status === 'PENDING' && !isHeld;
    const kind = await this.change(id, target, isWaiting, (sql, seen, isJoined) => {
      const written = writtenSettings(seen.settings, changes);
      return this.dialect.edits.rewrite(sql, id, seen, written, changes, isJoined);
    });
    return this.told(kind, target);
  }

  delete(id: string, force: boolean, target?: EnqueueTarget): Promise<'deleted' | 'running' | 'missing'> {
    return this.connections.run(target, async (sql, isJoined) => {
      if (await this.dialect.edits.delete(sql, id, force, isJoined)) return 'deleted';
      return (await this.dialect.edits.see(sql, id)) === null ? 'missing' : 'running';
    });
  }

  deleteAll(ids: readonly string[], statuses: readonly JobStatus[], target?: EnqueueTarget): Promise<number> {
    return this.connections.run(target, (sql, isJoined) =>
      this.dialect.bulk.deleteAll(sql, ids, statuses, isJoined),
    );
  }

  watchStops(listener: StopListener): () => void {
    return this.wakeUps.watchStops(listener);
  }

  /** Looks at a job and writes it, again where another has written it in between. @returns its kind; undefined if not fit */
  private change(
    id: string,
    target: EnqueueTarget | undefined,
    isFit: (seen: SeenRow) => boolean,
    write: (sql: Sql, seen: SeenRow, isJoined: boolean) => Promise<boolean>,
  ): Promise<string | undefined> {
    return this.connections.run(target, async (sql, isJoined) => {
      for (let tries = 1; tries <= TRIES; tries++) {
        const seen = await this.dialect.edits.see(sql, id);
        if (seen === null || !isFit(seen)) return undefined;
        if (await write(sql, seen, isJoined)) return seen.kind;
      }
      return undefined;
    });
  }

  /** Workers look for jobs of the kind: a claim finds out when the next one is due. */
  private told(kind: string | undefined, target: EnqueueTarget | undefined): boolean {
    if (kind === undefined) return false;
    this.connections.afterCommit(target, () => this.committed.tellOfScheduled(new Map([[kind, 0]])));
    return true;
  }
}

function isClosed({ status }: SeenRow): boolean {
  return status !== 'PENDING' && status !== 'DONE';
}

/** What something else has written holds back no other job. */
function isReadable({ settings }: SeenRow): boolean {
  try {
    decodeSettings(settings);
    return true;
  } catch {
    return false;
  }
}

function retriedSettings({ settings, attemptsDone }: SeenRow): string | null {
  return encodeSettings({ ...decodeSettings(settings), attemptsBefore: attemptsDone });
}

/** Most jobs have no tags, and an update leaves those of most others: their labels are not touched. */
function writtenSettings(seen: string | null, { settings: changes }: JobChanges): WrittenSettings {
  if (changes === undefined) return { settings: seen, labels: null };
  const before = decodeSettings(seen);
  const after = { ...before, ...changes };
  const isRelabelled = (before.tags ?? []).join('\0') !== (after.tags ?? []).join('\0');
  return { settings: encodeSettings(after), labels: isRelabelled ? labelsOf(after) : null };
}
