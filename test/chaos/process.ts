import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { DataSourceOptions } from 'typeorm';

/** The settings of a process of the suite. It gets them in the environment variable CHAOS. */
export interface ProcessSettings {
  readonly name: string;
  readonly generation: number;
  readonly seed: string;
  readonly database: DataSourceOptions;
  /** The file for its records, one on each line. */
  readonly file: string;
  /** How wrong its clock is. */
  readonly clockOffsetMs: number;
  readonly leaseMs: number;
  readonly maxCrashes: number;
  /** The kinds that a worker serves; undefined for all. */
  readonly kinds?: readonly string[];
  readonly databaseTimeoutMs: number;
  /** How many jobs an enqueuer sends in all its generations. */
  readonly quota: number;
  /** How many jobs its earlier generations have sent. */
  readonly sent: number;
  readonly perSecond: number;
}

export const settings = JSON.parse(process.env.CHAOS ?? '{}') as ProcessSettings;

/** Makes `Date` wrong in this process, like a clock that is set wrong. */
export function setClockWrong(offsetMs: number): void {
  if (offsetMs === 0) return;
  const Real = Date;
  globalThis.Date = new Proxy(Real, {
    construct: (_target, args: [] | [number], newTarget) =>
      Reflect.construct(Real, args.length === 0 ? [Real.now() + offsetMs] : args, newTarget) as object,
    apply: () => new Real(Real.now() + offsetMs).toString(),
    get: (target, name, receiver) =>
      name === 'now' ? () => Real.now() + offsetMs : (Reflect.get(target, name, receiver) as unknown),
  });
}

const file = settings.file ? openSync(settings.file, 'a') : 2;

/** Appends lines synchronously, so that they survive the death of this process. */
export function record(...lines: readonly object[]): void {
  writeSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Calls `start` until it succeeds, because the database may be restarting. */
export async function startUntilUp<T>(start: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      console.error('Could not start, trying again:', error);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** Quotes a text for SQL. Only for the suite's own servers, because it relies on how they read backslashes. */
export function literal(text: string): string {
  const escaped = settings.database.type === 'postgres' ? text : text.replaceAll('\\', '\\\\');
  return `'${escaped.replaceAll("'", "''")}'`;
}

/** Whether the database refused a row because it already exists. */
export function isDuplicate(error: unknown): boolean {
  const { code, errno } = (error as { driverError?: { code?: string; errno?: number } }).driverError ?? {};
  return code === '23505' || errno === 1062;
}
