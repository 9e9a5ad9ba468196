import type { JobSummary } from './job.js';
import type { JobState } from './job-state.js';
import { labelsOf, settingsTextOf } from './labels.js';

/** Instants between two others, which are not among them. Milliseconds since 1970; null for no end. */
export interface TimeSpan {
  readonly afterMs: number | null;
  readonly beforeMs: number | null;
}

/** What the payload has at a place: names of fields and numbers of entries, from outside to inside. */
export interface PayloadCondition {
  readonly path: readonly string[];
  readonly value: string | number | boolean | null;
}

/** What a job must be like; all of it. */
export interface JobConditions {
  /** In ascending order, each once. */
  readonly ids?: readonly string[];
  readonly kinds?: readonly string[];
  readonly states?: readonly JobState[];
  /** It has each of these. */
  readonly labels?: readonly string[];
  /** It holds this key now. Only together with `kinds`. */
  readonly uniqueKey?: string;
  readonly createdAt?: TimeSpan;
  readonly runAt?: TimeSpan;
  readonly updatedAt?: TimeSpan;
  /** Contained in the last error. */
  readonly error?: string;
  readonly payload?: readonly PayloadCondition[];
}

/**
 * Whether a job is as the conditions say, apart from whether it holds its unique key. A storage may leave it to this to look
 * into payloads, if it leaves out the jobs of `payloadTextsOf`.
 */
export function fulfils(
  job: JobSummary & { readonly payload?: unknown },
  conditions: JobConditions,
): boolean {
  const { ids, kinds, states, labels, createdAt, runAt, updatedAt, error, payload } = conditions;
  return (
    (ids === undefined || ids.includes(job.id)) &&
    (kinds === undefined || kinds.includes(job.kind)) &&
    (states === undefined || states.includes(job.state)) &&
    (labels === undefined || hasAll(labelsOf(job), labels)) &&
    isIn(createdAt, job.createdAt) &&
    isIn(runAt, job.runAt) &&
    isIn(updatedAt, job.updatedAt) &&
    (error === undefined || job.lastError?.includes(error) === true) &&
    (payload === undefined || payload.every(({ path, value }) => valueAt(job.payload, path) === value))
  );
}

/**
 * Texts that are all in the JSON of each payload that fulfils the conditions: this package writes JSON without blanks. Few
 * others have them, and to look for a text costs a database far less than to read a document, of which it may not take all.
 */
export function payloadTextsOf({ payload = [] }: JobConditions): string[] {
  return payload.map(({ path, value }) => {
    const name = path.at(-1)!;
    const text = JSON.stringify(value);
    return isIndex(name) ? text : `${JSON.stringify(name)}:${text}`;
  });
}

/**
 * Texts that are all in the settings of each job that has the labels. The row of a label may be left of a job that something
 * else has deleted, and another job may have its id since: few of those have these texts.
 */
export function settingsTextsOf({ labels = [] }: JobConditions): string[] {
  return labels.map(settingsTextOf);
}

function hasAll(own: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((label) => own.includes(label));
}

function isIn(span: TimeSpan | undefined, at: Date): boolean {
  if (span === undefined) return true;
  const { afterMs, beforeMs } = span;
  const ms = at.getTime();
  return (afterMs === null || ms > afterMs) && (beforeMs === null || ms < beforeMs);
}

function valueAt(payload: unknown, path: readonly string[]): unknown {
  let value = payload;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

function isIndex(name: string): boolean {
  return /^\d+$/.test(name);
}
