import type { Job } from '../../job/job.js';
import type { Redact } from '../dashboard.options.js';
import type { PayloadForms } from './payload-form.js';
import { SchemaMarks, type SchemaParts } from './schema-marks.js';

/** What stands in the place of a value that is hidden. */
export const REDACTED = '[redacted]';

export type Part = 'payload' | 'result' | 'carried';

/** A value of which nothing, a part or all is hidden. */
export interface Redacted {
  readonly value: unknown;
  readonly isRedacted: boolean;
}

/** Hides what not everybody may see. */
export class Redaction {
  private readonly marks = new WeakMap<object, SchemaMarks>();

  /** @param redact the option of the dashboard */
  constructor(
    private readonly forms: PayloadForms,
    private readonly redact: boolean | Redact | undefined,
  ) {}

  of(job: Job, part: Part): Redacted {
    const value = job[part];
    if (value === undefined || this.redact === false) return { value, isRedacted: false };
    if (this.redact === true) return HIDDEN;
    const form = this.forms.of(job.kind);
    const isLeftToMarks = this.redact === undefined;
    if (form === 'unreadable' && part === 'payload') return HIDDEN;
    if (form === 'unknown' && isLeftToMarks) return HIDDEN;
    const marks = typeof form === 'object' && part === 'payload' ? this.marksOf(form.schema) : undefined;
    return new Walk(job, this.redact, marks).walk(value, part, marks?.whole ?? []);
  }

  /**
   * Whether somebody who sees no hidden values may search payloads by the value at a path: where that is hidden, the answer would
   * give it away.
   */
  maySearch(kinds: readonly string[] | undefined, path: readonly string[]): boolean {
    if (this.redact === false) return true;
    if (this.redact !== undefined) return false;
    if (kinds === undefined || kinds.length === 0) return false;
    return kinds.every((kind) => {
      const form = this.forms.of(kind);
      if (form === 'none') return true;
      return typeof form === 'object' && !isMarked(this.marksOf(form.schema), path);
    });
  }

  private marksOf(schema: object): SchemaMarks {
    let marks = this.marks.get(schema);
    if (marks === undefined) this.marks.set(schema, (marks = new SchemaMarks(schema as never)));
    return marks;
  }
}

const HIDDEN: Redacted = { value: REDACTED, isRedacted: true };

function isMarked(marks: SchemaMarks, path: readonly string[]): boolean {
  let parts = marks.whole;
  for (const name of path) {
    if (marks.isHidden(parts)) return true;
    const asField = marks.within(parts, name, false);
    parts = /^\d+$/.test(name) ? [...asField, ...marks.within(parts, name, true)] : asField;
  }
  return marks.isHidden(parts);
}

/** Goes through one document. */
class Walk {
  private isRedacted = false;

  constructor(
    private readonly job: Job,
    private readonly redact: Redact | undefined,
    private readonly marks: SchemaMarks | undefined,
  ) {}

  walk(value: unknown, path: string, parts: SchemaParts): Redacted {
    return { value: this.seen(value, path, parts), isRedacted: this.isRedacted };
  }

  private seen(value: unknown, path: string, parts: SchemaParts): unknown {
    if (this.isHidden(path, parts)) {
      this.isRedacted = true;
      return REDACTED;
    }
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (Array.isArray(value))
      return value.map((entry, index) => this.inner(entry, path, String(index), parts, true));
    const fields = Object.entries(value).map(([name, field]): [string, unknown] => [
      name,
      this.inner(field, path, name, parts, false),
    ]);
    return Object.fromEntries(fields);
  }

  private inner(value: unknown, path: string, name: string, parts: SchemaParts, isEntry: boolean): unknown {
    const within = this.marks?.within(parts, name, isEntry) ?? [];
    return this.seen(value, `${path}.${name}`, within);
  }

  private isHidden(path: string, parts: SchemaParts): boolean {
    if (this.marks?.isHidden(parts) === true) return true;
    if (this.redact === undefined) return false;
    try {
      return this.redact(this.job, path);
    } catch {
      return true; // a function that fails must not show what it was to hide
    }
  }
}
