import { describeError, isError, storableText } from '../job/describe-error.js';
import { encodeDocument } from '../job/document.js';
import { InvalidJobError } from '../job/errors.js';
import { JOB_LOG_LEVELS, LINES_KEPT, LOG_BYTES_KEPT, type JobLogLevel } from '../job/job-log.js';
import { describeType } from '../job/names.js';
import { isObject } from '../job/option-checks.js';
import type { AttemptNote } from '../queue/note-store.js';

const MAX_PROGRESS_BYTES = 4 * 1024;
/** What is larger is walked through no further. */
const MAX_ENCODED_BYTES = 1024 * 1024;

/** Hears of what a handler notes. */
export interface NoteListener {
  /** There is something to be written. */
  noted(): void;
  /** Something was dropped. Told once for an attempt. */
  noteRefused(error: unknown): void;
}

/** A line that is not written yet. */
interface Line {
  readonly loggedAt: number;
  readonly level: JobLogLevel;
  readonly entry: string;
}

/** What is written at once of an attempt. */
export type TakenNote = Pick<AttemptNote, 'progress' | 'skipped' | 'keep'> & {
  readonly lines: readonly Line[];
};

/**
 * What a handler notes in one run, until it is written: the newest progress, and the newest lines of its log. Lines that are
 * written already count for the limits as well. Those of an earlier run of the same attempt, which was put back, go by number
 * alone.
 */
export class AttemptNotes {
  private progress: string | null = null;
  private lines: Line[] = [];
  private skipped = 0;
  /** Of the lines that are kept, written ones included. */
  private sizes: number[] = [];
  private bytes = 0;
  private hasDropped = false;

  /** @throws InvalidJobError */
  setProgress(value: unknown): void {
    if (typeof value === 'number' ? !(value >= 0 && value <= 1) : !isObject(value))
      throw new InvalidJobError('progress', 'must be a number from 0 to 1, or an object.');
    this.progress = jsonOf(value, 'progress', MAX_PROGRESS_BYTES);
  }

  /** @throws InvalidJobError */
  addLine(value: unknown, level: JobLogLevel): void {
    if (!JOB_LOG_LEVELS.includes(level))
      throw new InvalidJobError('level', `must be one of ${JOB_LOG_LEVELS.join(', ')}.`);
    const entry = jsonOf(isError(value) ? describeError(value) : shortened(value), 'log', LOG_BYTES_KEPT);
    this.lines.push({ loggedAt: performance.now(), level, entry });
    this.sizes.push(Buffer.byteLength(entry));
    this.bytes += this.sizes.at(-1)!;
    while (this.sizes.length > LINES_KEPT || this.bytes > LOG_BYTES_KEPT) {
      this.bytes -= this.sizes.shift()!;
      this.hasDropped = true;
    }
    this.dropLines();
  }

  /** Takes what is to be written now. */
  take(): TakenNote {
    const { progress, lines, skipped } = this;
    [this.progress, this.lines, this.skipped] = [null, [], 0];
    return { progress, lines, skipped, keep: this.hasDropped ? this.sizes.length : LINES_KEPT };
  }

  /** Takes back what could not be written. */
  putBack({ progress, lines, skipped }: TakenNote): void {
    this.progress ??= progress;
    this.lines = [...lines, ...this.lines];
    this.skipped += skipped;
    this.dropLines();
  }

  /** Those beyond the limits: the oldest. */
  private dropLines(): void {
    const excess = this.lines.length - this.sizes.length;
    if (excess <= 0) return;
    this.lines.splice(0, excess);
    this.skipped += excess;
  }
}

/** Texts are cut, as errors are. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (isObject(value)) return value;
  throw new InvalidJobError('log', `is ${describeType(value)}; it must be a text, an object or an error.`);
}

function jsonOf(value: unknown, name: string, maxBytes: number): string {
  const { json } = encodeDocument(value, name, MAX_ENCODED_BYTES);
  if (json === null) throw new InvalidJobError(name, 'cannot be bytes.');
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  throw new InvalidJobError(name, `is ${bytes} bytes of JSON; at most ${maxBytes} are kept.`);
}
