import { decodeDocument } from './document.js';
import { isObject } from './option-checks.js';
import type { StoredBackoff } from './retry.js';

/**
 * What few jobs bring along, as it is stored in the column `settings`: one JSON object, so that all others pay for a
 * single NULL. A field that is not set is absent. Instants are milliseconds since 1970.
 */
export interface StoredSettings {
  readonly tags?: readonly string[];
  readonly backoff?: StoredBackoff;
  /** The schedule that made the job, and the instant that it is for. */
  readonly schedule?: string;
  readonly tick?: number;
  readonly unique?: StoredUnique;
  /** How many attempts had ended when the job was last given a fresh budget of them. */
  readonly attemptsBefore?: number;
}

/** The unique key of a job, and until when it is taken. */
export interface StoredUnique {
  readonly key: string;
  readonly while: 'waiting' | 'unsettled' | 'window';
  /** How long the window is, in milliseconds. */
  readonly forMs?: number;
}

/** What a job shows of its settings. */
export interface ShownSettings {
  /** What it was tagged with. */
  readonly tags?: readonly string[];
  /** How long to wait before the next attempt, where the enqueue said so. */
  readonly backoff?: StoredBackoff;
  /** The name of the schedule that made it. */
  readonly schedule?: string;
  /** The instant that it is for, on a job of a schedule. */
  readonly tick?: Date;
  /** What makes it the same as another job of its kind. */
  readonly uniqueKey?: string;
  /** How many attempts had ended when it was last retried by hand, with a fresh budget of them. */
  readonly attemptsBefore?: number;
}

/** @returns JSON; null where nothing is set */
export function encodeSettings(settings: StoredSettings): string | null {
  const json = JSON.stringify(settings);
  return json === '{}' ? null : json;
}

/** @param json as it is stored @throws UnreadableDocumentError */
export function decodeSettings(json: string | null): StoredSettings {
  const value = decodeDocument(json, null, 'settings');
  return isObject(value) ? value : NONE;
}

const NONE: StoredSettings = {};

/** A job has only the fields that are set. */
export function shownSettings(settings: StoredSettings): ShownSettings {
  const { tags, backoff, schedule, tick, unique, attemptsBefore } = settings;
  return {
    ...(tags !== undefined && { tags }),
    ...(backoff !== undefined && { backoff }),
    ...(schedule !== undefined && { schedule }),
    ...(tick !== undefined && { tick: new Date(tick) }),
    ...(unique !== undefined && { uniqueKey: unique.key }),
    ...(attemptsBefore !== undefined && { attemptsBefore }),
  };
}
