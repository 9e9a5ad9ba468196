import { NoteStore, type AttemptNote } from '../../queue/note-store.js';
import type { LeaseAnswer } from '../../queue/lease.js';
import type { Connections } from '../sql/connections.js';
import type { Dialect } from '../sql/dialect.js';
import { byWorker, leaseResults } from './lease-results.js';

/** Writes what handlers note to a database. */
export class SqlNotes extends NoteStore {
  /** @param dialect asked each time: a queue has another one when it has looked at the database */
  constructor(
    private readonly connections: Connections,
    private readonly dialect: () => Pick<Dialect, 'notes' | 'jobs'>,
    /** How long the database may take to answer. */
    private readonly maxAnswerMs: number,
  ) {
    super();
  }

  async write(notes: readonly AttemptNote[], answerMs = Infinity): Promise<LeaseAnswer[]> {
    if (notes.length === 0) return [];
    const { notes: dialect, jobs } = this.dialect();
    return this.connections.run(
      (sql) =>
        byWorker(notes, (own) =>
          leaseResults(
            own,
            (sorted) => dialect.write(sql, sorted),
            (missing) => jobs.look(sql, missing),
          ),
        ),
      { answerMs: Math.min(answerMs, this.maxAnswerMs) },
    );
  }
}
