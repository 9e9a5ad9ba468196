import { after, endsWithin } from '../async/timers.js';
import type { JobsEvents } from '../events/jobs-events.js';
import { countForBatch, type Weight } from '../job/batch-size.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { AttemptNote } from '../queue/note-store.js';
import type { TakenNote } from './attempt-notes.js';
import type { HeldJob } from './held-job.js';

/** How long notes gather before they are written. */
const GATHER_MS = 1_000;
/** How long the end of an attempt waits for its last notes, if its lease lasts as long. */
const MAX_FLUSH_MS = 1_000;
/** For this share of the time of a lease the answer of the storage is awaited. */
const ANSWER_SHARE = 1 / 3;

interface Note {
  readonly heldJob: HeldJob;
  readonly taken: TakenNote;
}

/**
 * Writes what handlers note: all that has gathered in a second, of all jobs, in one call; and what an attempt has noted
 * last, before its outcome. While there is nothing to write there is no timer.
 */
export class NoteWriter {
  /** Jobs with something to write. */
  private readonly noted = new Set<HeldJob>();
  private cancelTimer: (() => void) | undefined;
  private writing: Promise<void> | undefined;
  /** In a row. */
  private failures = 0;

  constructor(
    private readonly queue: Pick<JobQueue, 'notes' | 'refusesContent'>,
    private readonly leaseMs: number,
    private readonly events: JobsEvents,
  ) {}

  /** The handler of a job has noted something. */
  add(heldJob: HeldJob): void {
    this.noted.add(heldJob);
    this.cancelTimer ??= after(GATHER_MS, () => void this.writeAll());
  }

  /** Something that the handler of a job has noted is dropped. */
  refused({ job }: HeldJob, error: unknown): void {
    this.events.emit('noteRefused', { job, error });
  }

  /** Writes what these jobs have noted, or gives up after a moment. Never rejects. */
  async flush(heldJobs: readonly HeldJob[]): Promise<void> {
    const isWanted = heldJobs.some((heldJob) => this.noted.has(heldJob));
    if (!isWanted && this.writing === undefined) return;
    const leftMs = Math.min(...heldJobs.map(({ endsAt }) => endsAt)) - performance.now();
    const written = isWanted ? this.writeNow() : this.writing!;
    await endsWithin(written, Math.max(0, Math.min(MAX_FLUSH_MS, leftMs)));
  }

  /** What is not written yet is lost. */
  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.noted.clear();
  }

  /** Not beside a write that is under way, so that the lines of a job stay in order. */
  private async writeNow(): Promise<void> {
    await this.writing;
    await this.writeAll();
  }

  /** Never rejects. */
  private writeAll(): Promise<void> {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.writing ??= this.writeTaken().finally(() => {
      this.writing = undefined;
      if (this.noted.size > 0) this.cancelTimer ??= after(GATHER_MS, () => void this.writeAll());
    });
    return this.writing;
  }

  private async writeTaken(): Promise<void> {
    const notes = [...this.noted].map((heldJob) => ({ heldJob, taken: heldJob.attempt.notes!.take() }));
    this.noted.clear();
    while (notes.length > 0) await this.write(notes.splice(0, countForBatch(notes, weigh)));
  }

  private async write(notes: readonly Note[]): Promise<void> {
    try {
      const answerMs = Math.ceil(this.leaseMs * ANSWER_SHARE);
      const answers = await this.queue.notes.write(notes.map(encode), answerMs);
      this.failures = 0;
      for (const [index, note] of notes.entries()) {
        if (answers[index] === 'busy' || answers[index] === 'stale') this.putBack(note);
        if (answers[index] === 'written') this.tell(note);
      }
    } catch (error) {
      await this.failed(notes, error);
    }
  }

  private tell({ heldJob: { job }, taken: { progress } }: Note): void {
    if (progress !== null) this.events.emit('progressed', { job, progress });
  }

  /** What the storage refuses for its content holds back no others, and is dropped. */
  private async failed(notes: readonly Note[], error: unknown): Promise<void> {
    if (!this.queue.refusesContent(error)) {
      this.failures += 1;
      this.events.emit('notesFailed', { count: notes.length, error, failures: this.failures });
      for (const note of notes) this.putBack(note);
    } else if (notes.length === 1) {
      notes[0]!.heldJob.attempt.noteRefused(error);
    } else {
      for (const note of notes) await this.write([note]);
    }
  }

  /** To be written with the next ones, if the attempt goes on. */
  private putBack({ heldJob, taken }: Note): void {
    if (heldJob.lease !== 'held') return;
    heldJob.attempt.notes!.putBack(taken);
    this.noted.add(heldJob);
  }
}

function encode({ heldJob, taken }: Note): AttemptNote {
  const { id, leaseToken, lockedBy, job } = heldJob;
  const now = performance.now();
  const lines = taken.lines.map(({ loggedAt, level, entry }) => ({ agoMs: now - loggedAt, level, entry }));
  return { id, leaseToken, lockedBy, attempt: job.attemptsDone + 1, ...taken, lines };
}

function weigh({ taken: { progress, lines } }: Note): Weight {
  const bytes = lines.reduce((sum, { entry }) => sum + entry.length, progress?.length ?? 0);
  return { rows: lines.length + 1, bytes };
}
