import { ATTEMPTS_KEPT } from '../../job/job-attempt.js';
import type { JobLogLevel, JobLogLine, LogQuery } from '../../job/job-log.js';
import type { AttemptNote } from '../../queue/note-store.js';
import { decodeLogLine } from '../sql/row.js';

interface StoredLine {
  readonly attempt: number;
  readonly line: number;
  readonly logged_at: number;
  readonly level: JobLogLevel;
  readonly entry: string;
}

/** The lines that were logged of jobs in memory. */
export class MemoryLogs {
  /** By job, in ascending order. */
  private readonly lines = new Map<string, StoredLine[]>();

  add({ id, attempt, lines, skipped, keep }: AttemptNote, now: number): void {
    if (lines.length === 0) return;
    const stored = this.lines.get(id) ?? [];
    const base = (stored.findLast((line) => line.attempt === attempt)?.line ?? 0) + skipped;
    const oldest = base + lines.length - keep;
    const isKept = (line: StoredLine) =>
      line.attempt === attempt ? line.line > oldest : line.attempt > attempt - ATTEMPTS_KEPT;
    const added = lines.map(({ agoMs, level, entry }, index) => ({
      attempt,
      line: base + index + 1,
      logged_at: now - agoMs,
      level,
      entry,
    }));
    this.lines.set(id, [...stored, ...added].filter(isKept));
  }

  of(id: string, { fromAttempt, toAttempt, after, limit }: LogQuery): JobLogLine[] {
    const isWanted = ({ attempt, line }: StoredLine) =>
      attempt >= fromAttempt &&
      attempt <= toAttempt &&
      (attempt > after.attempt || (attempt === after.attempt && line > after.line));
    const wanted = (this.lines.get(id) ?? []).filter(isWanted).slice(0, limit);
    return wanted.map((line) => decodeLogLine({ ...line }));
  }

  delete(id: string): void {
    this.lines.delete(id);
  }
}
