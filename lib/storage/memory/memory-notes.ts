import type { LeaseAnswer } from '../../queue/lease.js';
import { NoteStore, type AttemptNote } from '../../queue/note-store.js';
import type { MemoryJobs } from './memory-jobs.js';

/** What handlers of jobs in memory note. */
export class MemoryNotes extends NoteStore {
  constructor(
    private readonly jobs: MemoryJobs,
    private readonly now: () => number,
  ) {
    super();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous, a Map is not
  async write(notes: readonly AttemptNote[]): Promise<LeaseAnswer[]> {
    return notes.map((note) => {
      const answer = this.jobs.check(note);
      if (answer !== 'written') return answer;
      if (note.progress !== null) this.jobs.get(note.id)!.progress = note.progress;
      this.jobs.logs.add(note, this.now());
      return answer;
    });
  }
}
