import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { DataSourceOptions } from 'typeorm';

/** The settings of a process of the suite. It gets them in the environment variable HA. */
export interface ProcessSettings {
  readonly name: string;
  /** The file for its records, one on each line. */
  readonly file: string;
  readonly database: DataSourceOptions;
  /** Where a worker settles, if that is not where it claims. */
  readonly settlesOn?: DataSourceOptions;
  /** Further options of `JobsModule`. */
  readonly jobs?: Readonly<Record<string, unknown>>;
  /** The kind that a worker serves, or an enqueuer enqueues. */
  readonly kind: string;
  /** How long a handler takes. */
  readonly handlerMs: number;
  readonly concurrency: number;
  /** How many jobs an enqueuer sends in a second, each by a call of its own. */
  readonly perSecond: number;
  /** How many jobs an enqueuer sends before it is ready, in calls of 500. */
  readonly backlog: number;
  /** Whether an enqueuer reads each job back as soon as its enqueue is acknowledged. */
  readonly readsBack: boolean;
}

export const KIND = 'ha.work';
/** What docs/high-availability.md recommends. */
export const ANSWER_MS = 5_000;
export const LEASE_MS = 8_000;

export const settings = JSON.parse(process.env.HA ?? '{}') as ProcessSettings;

const file = settings.file ? openSync(settings.file, 'a') : 2;

/** Appends lines synchronously, so that they survive the death of this process. */
export function record(...lines: readonly object[]): void {
  if (lines.length > 0) writeSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
